import type { Stream } from '@libp2p/interface'
import type { SignedAdvert } from '../../model/advert.ts'
import { waitUntilDrained } from '../drain.ts'
import { readMessage, sendMessage } from '../message-stream.ts'
import { decodeQuestion } from './codec.ts'
import { MAX_ADVERTS_PER_ANSWER, MAX_ANSWER_BYTES, MAX_QUESTION_BYTES, PULL_TIMEOUT_MS } from './constants.ts'

/** Unsent bytes from which we wait for the reader. */
const MAX_UNSENT_BYTES = 256 * 1024

export interface CapabilityHandlerComponents {
  /** Our own advert first, then those of others. */
  adverts: () => Iterable<SignedAdvert>
}

/** Serves `/easynet/capability/1.0.0`: adverts that the asking side does not have yet. */
export function createCapabilityHandler({ adverts }: CapabilityHandlerComponents) {
  return async function handleCapability(stream: Stream): Promise<void> {
    const signal = AbortSignal.timeout(PULL_TIMEOUT_MS)
    const { known, only, offering } = decodeQuestion(await readMessage(stream, MAX_QUESTION_BYTES, signal))
    let count = 0
    let bytes = 0
    for (const { advert, bytes: signed } of adverts()) {
      if (only !== undefined && !only.has(advert.peerId)) continue
      if (offering !== undefined && !advert.functions.some((fn) => fn.name === offering)) continue
      if ((known.get(advert.peerId) ?? -1) >= advert.seq) continue
      if (count === MAX_ADVERTS_PER_ANSWER || bytes + signed.length > MAX_ANSWER_BYTES) break
      sendMessage(stream, signed)
      if (stream.writeBufferLength >= MAX_UNSENT_BYTES) {
        await waitUntilDrained(stream, { belowBytes: MAX_UNSENT_BYTES, signal })
      }
      count += 1
      bytes += signed.length
    }
    await stream.close({ signal })
  }
}
