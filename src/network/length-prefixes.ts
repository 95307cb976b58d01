import { EasyNetError } from '../errors/error.ts'
import {
  MAX_NEGOTIATION_MESSAGES,
  MAX_NEGOTIATION_MESSAGE_BYTES,
  MAX_PREFIXED_MESSAGE_BYTES,
} from './limits.ts'

// libp2p's own reader of length-prefixed messages takes a length without end byte by byte, for as long as
// there are bytes, and lets nothing else run meanwhile: 100 kB of 0xff took a second, from anybody who can
// open a socket. So what it is going to read is looked at before.

const MULTISTREAM = '/multistream/1.0.0'
const MORE = 0x80

/** Who asks for a protocol, or who answers to that. */
export type Negotiation = AskedFor | 'answer'

export interface AskedFor {
  accepts: (protocol: string) => boolean
  /** A message has come whose length the library reads. Throws when there are too many. */
  onMessage?: (protocol: string) => void
}

/**
 * Follows what comes in on one stream from its first byte: the negotiation of its protocol, and the lengths
 * of messages of protocols that the library reads itself.
 */
export class IncomingBytes {
  readonly #negotiation: Negotiation
  readonly #isPrefixed: (protocol: string) => boolean
  #stage: 'negotiating' | 'prefixed' | 'free' = 'negotiating'
  #protocol = ''
  #messages = 0
  #length = 0
  #prefixBytes = 0
  /** Bytes of the current message that have not come; undefined while its length has not. */
  #left: number | undefined
  #text = ''

  /** @param isPrefixed - protocols whose messages the library reads by their lengths */
  constructor(negotiation: Negotiation, isPrefixed: (protocol: string) => boolean) {
    this.#negotiation = negotiation
    this.#isPrefixed = isPrefixed
  }

  /** True when nothing more has to be looked at. */
  get isFree(): boolean {
    return this.#stage === 'free'
  }

  /** @throws `protocol_violation` */
  read(part: Uint8Array): void {
    let at = 0
    while (at < part.length && this.#stage !== 'free') {
      if (this.#left === undefined) this.#readLength(part[at++] as number)
      else at += this.#readBody(part.subarray(at, at + this.#left))
      if (this.#left === 0) this.#endMessage()
    }
  }

  #readLength(byte: number): void {
    const isNegotiating = this.#stage === 'negotiating'
    const most = isNegotiating ? MAX_NEGOTIATION_MESSAGE_BYTES : MAX_PREFIXED_MESSAGE_BYTES
    this.#length += (byte & ~MORE) * 2 ** (7 * this.#prefixBytes)
    this.#prefixBytes += 1
    if (this.#length > most || 2 ** (7 * this.#prefixBytes) > most * MORE) {
      throw new EasyNetError('protocol_violation', 'A message is longer than any message may be.', {
        details: { limitBytes: most },
      })
    }
    if ((byte & MORE) === 0) this.#left = this.#length
  }

  #readBody(bytes: Uint8Array): number {
    if (this.#stage === 'negotiating') this.#text += Buffer.from(bytes).toString('latin1')
    this.#left = (this.#left ?? 0) - bytes.length
    return bytes.length
  }

  #endMessage(): void {
    const text = this.#text.trimEnd()
    this.#left = undefined
    this.#length = 0
    this.#prefixBytes = 0
    this.#text = ''
    if (this.#stage !== 'negotiating') {
      if (this.#negotiation !== 'answer') this.#negotiation.onMessage?.(this.#protocol)
      return
    }
    this.#messages += 1
    if (this.#messages > MAX_NEGOTIATION_MESSAGES) {
      throw new EasyNetError('protocol_violation', 'A stream goes on negotiating its protocol.')
    }
    if (text === MULTISTREAM || !this.#isDecided(text)) return
    this.#protocol = text
    this.#stage = this.#isPrefixed(text) ? 'prefixed' : 'free'
  }

  #isDecided(text: string): boolean {
    return this.#negotiation === 'answer' ? text !== 'na' : this.#negotiation.accepts(text)
  }
}
