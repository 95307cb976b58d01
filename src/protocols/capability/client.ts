import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { SignedAdvert } from '../../model/advert.ts'
import { readMessages, sendMessage } from '../message-stream.ts'
import { encodeQuestion, type KnownAdverts, type Selection, type Verifier, verifyAdvert } from './codec.ts'
import {
  CAPABILITY_PROTOCOL,
  MAX_ADVERT_BYTES,
  MAX_ADVERTS_PER_ANSWER,
  MAX_ANSWER_BYTES,
  PULL_TIMEOUT_MS,
} from './constants.ts'

export interface CapabilityClientComponents {
  openStream: (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>
  verifier: Verifier
}

export interface Question {
  known: KnownAdverts
  /** What is asked for, all that the peer has otherwise; and how long the answer is wanted. */
  only?: Selection & { signal?: AbortSignal | undefined }
}

/**
 * Asks a peer for adverts that are newer than ours, its own and those it was told. Every one is
 * verified; a forged one ends the exchange.
 */
export async function* pullAdverts(
  { openStream, verifier }: CapabilityClientComponents,
  peerId: string,
  question: Question,
): AsyncGenerator<SignedAdvert> {
  const timeout = AbortSignal.timeout(PULL_TIMEOUT_MS)
  const wanted = question.only?.signal
  const signal = wanted === undefined ? timeout : AbortSignal.any([timeout, wanted])
  const stream = await openStream(peerId, CAPABILITY_PROTOCOL, signal)
  let advertsLeft = MAX_ADVERTS_PER_ANSWER
  let bytesLeft = MAX_ANSWER_BYTES
  let whole = false
  try {
    sendMessage(stream, encodeQuestion(question.known, question.only))
    for await (const message of readMessages(stream, MAX_ADVERT_BYTES, signal)) {
      advertsLeft -= 1
      bytesLeft -= message.length
      if (advertsLeft < 0 || bytesLeft < 0) {
        throw new EasyNetError('protocol_violation', 'An answer has more adverts than are allowed.')
      }
      yield verifyAdvert(verifier, message)
    }
    whole = true
    await stream.close({ signal })
  } finally {
    // Also when the reader leaves early: what nobody reads must not stay open.
    if (!whole) stream.abort(new Error('the answer was not read to its end'))
  }
}
