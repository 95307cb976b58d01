import type { Stream } from '@libp2p/interface'
import { readMessages, sendMessage } from '../message-stream.ts'
import { type HelloComponents, type Introduction, limitOf, nextOf } from './client.ts'
import { decodeHello, decodeProof, encodeHello, encodeProof, type Hello } from './codec.ts'
import { HELLO_TIMEOUT_MS } from './constants.ts'
import { Meeting, newNonce } from './meeting.ts'

export interface HelloHandlerComponents extends Omit<HelloComponents, 'openStream'> {
  /** What we say of ourselves. */
  own: () => Hello
  /** Called once. */
  onHello: (peerId: string, introduction: Introduction) => void
}

/** Serves `/easynet/hello/1.0.0`: answers an introduction with ours, and a proof with a proof. */
export function createHelloHandler(components: HelloHandlerComponents) {
  const { own, onHello, memberships, publicKeyOf } = components
  return async function handleHello(stream: Stream, peerId: string): Promise<void> {
    const signal = AbortSignal.timeout(HELLO_TIMEOUT_MS)
    const messages = readMessages(stream, limitOf, signal)
    const hello = decodeHello(await nextOf(messages))
    if (hello.nonce === undefined) {
      sendMessage(stream, encodeHello(own()))
      onHello(peerId, { hello, standing: { stranger: 'no_common_mesh' } })
      await stream.close({ signal })
      return
    }
    const nonce = newNonce()
    const meeting = new Meeting(memberships, hello.nonce, nonce)
    sendMessage(stream, encodeHello({ ...own(), nonce, tags: meeting.tags }))
    const proof = decodeProof(await nextOf(messages))
    const standing = meeting.check(proof, publicKeyOf(peerId))
    // A member may use everything as soon as it has our answer. A stranger is cut off, but hears why first.
    if ('members' in standing) onHello(peerId, { hello, standing })
    sendMessage(stream, encodeProof(meeting.answer(standing)))
    await stream.close({ signal })
    if ('stranger' in standing) onHello(peerId, { hello, standing })
  }
}
