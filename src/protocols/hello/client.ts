import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { Memberships } from '../../identity/memberships.ts'
import { readMessages, sendMessage } from '../message-stream.ts'
import { decodeHello, decodeProof, encodeHello, encodeProof, type Hello } from './codec.ts'
import { HELLO_PROTOCOL, HELLO_TIMEOUT_MS, MAX_HELLO_BYTES, MAX_PROOF_BYTES } from './constants.ts'
import { Meeting, newNonce, type Standing } from './meeting.ts'

export type OpenStream = (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>

export interface HelloComponents {
  openStream: OpenStream
  memberships: Memberships
  /** The raw Ed25519 key inside a peer id. */
  publicKeyOf: (peerId: string) => Uint8Array
}

/** Who answered, and what it may do here. */
export interface Introduction {
  hello: Hello
  standing: Standing
}

/** Introduces ourselves to a peer and learns who it is. The side that dialled does this. */
export async function sayHello(
  { openStream, memberships, publicKeyOf }: HelloComponents,
  peerId: string,
  own: Hello,
): Promise<Introduction> {
  const signal = AbortSignal.timeout(HELLO_TIMEOUT_MS)
  const stream = await openStream(peerId, HELLO_PROTOCOL, signal)
  try {
    const messages = readMessages(stream, limitOf, signal)
    const nonce = newNonce()
    sendMessage(stream, encodeHello({ ...own, nonce }))
    const hello = decodeHello(await nextOf(messages))
    // A version without meshes says nothing after its hello.
    if (hello.nonce === undefined) {
      await stream.close({ signal })
      return { hello, standing: { stranger: 'no_common_mesh' } }
    }
    const meeting = new Meeting(memberships, nonce, hello.nonce)
    sendMessage(stream, encodeProof(meeting.prove(hello.tags ?? [])))
    const proof = decodeProof(await nextOf(messages))
    await stream.close({ signal })
    return { hello, standing: meeting.check(proof, publicKeyOf(peerId)) }
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

/** A hello is short; a proof holds certificates. */
export function limitOf(index: number): number {
  return index === 0 ? MAX_HELLO_BYTES : MAX_PROOF_BYTES
}

/** @throws `protocol_violation` when the other side has closed */
export async function nextOf(messages: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const { value, done } = await messages.next()
  if (done !== true) return value
  throw new EasyNetError('protocol_violation', 'The other device closed the stream without a word.')
}
