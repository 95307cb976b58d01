import type { Stream } from '@libp2p/interface'
import { readMessage, sendMessage } from '../message-stream.ts'
import { decodeHello, encodeHello, type Hello } from './codec.ts'
import { HELLO_PROTOCOL, HELLO_TIMEOUT_MS, MAX_HELLO_BYTES } from './constants.ts'

export type OpenStream = (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>

/** Introduces ourselves to a peer and returns its answer. The side that dialled does this. */
export async function sayHello(openStream: OpenStream, peerId: string, own: Hello): Promise<Hello> {
  const signal = AbortSignal.timeout(HELLO_TIMEOUT_MS)
  const stream = await openStream(peerId, HELLO_PROTOCOL, signal)
  try {
    sendMessage(stream, encodeHello(own))
    const answer = decodeHello(await readMessage(stream, MAX_HELLO_BYTES, signal))
    await stream.close({ signal })
    return answer
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
