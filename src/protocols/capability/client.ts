import type { Stream } from '@libp2p/interface'
import type { SignedAdvert } from '../../model/advert.ts'
import { readMessages, sendMessage } from '../message-stream.ts'
import { encodeQuestion, type KnownAdverts, type Verifier, verifyAdvert } from './codec.ts'
import {
  CAPABILITY_PROTOCOL,
  MAX_ADVERT_BYTES,
  MAX_ADVERTS_PER_ANSWER,
  PULL_TIMEOUT_MS,
} from './constants.ts'

export interface CapabilityClientComponents {
  openStream: (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>
  verifier: Verifier
}

export interface Question {
  known: KnownAdverts
  /** Adverts of these peers alone; all that the peer has otherwise. */
  only?: readonly string[]
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
  const signal = AbortSignal.timeout(PULL_TIMEOUT_MS)
  const stream = await openStream(peerId, CAPABILITY_PROTOCOL, signal)
  let left = MAX_ADVERTS_PER_ANSWER
  try {
    sendMessage(stream, encodeQuestion(question.known, question.only))
    for await (const message of readMessages(stream, MAX_ADVERT_BYTES, signal)) {
      yield verifyAdvert(verifier, message)
      left -= 1
      if (left === 0) break
    }
    await stream.close({ signal })
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
