import type { Stream } from '@libp2p/interface'
import { readMessage, sendMessage } from '../message-stream.ts'
import { decodeHello, encodeHello, type Hello } from './codec.ts'
import { HELLO_TIMEOUT_MS, MAX_HELLO_BYTES } from './constants.ts'

export interface HelloHandlerComponents {
  /** What we say of ourselves. */
  own: () => Hello
  onHello: (peerId: string, hello: Hello) => void
}

/** Serves `/easynet/hello/1.0.0`: answers an introduction with ours. */
export function createHelloHandler({ own, onHello }: HelloHandlerComponents) {
  return async function handleHello(stream: Stream, peerId: string): Promise<void> {
    const signal = AbortSignal.timeout(HELLO_TIMEOUT_MS)
    const hello = decodeHello(await readMessage(stream, MAX_HELLO_BYTES, signal))
    sendMessage(stream, encodeHello(own()))
    onHello(peerId, hello)
    await stream.close({ signal })
  }
}
