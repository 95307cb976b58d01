import type { MessageStream } from '@libp2p/interface'
import type { noise } from '@libp2p/noise'

// What we touch of the library's encrypted stream, none of which it promises.

export type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]

/** The list of byte arrays that libp2p passes around. */
export type ByteList = Exclude<Parameters<MessageStream['send']>[0], Uint8Array>

export interface Encrypted {
  /** Messages with their lengths. */
  encrypt(data: Uint8Array | ByteList): ByteList
  /** Of one message; small ones in place. */
  decrypt(data: Uint8Array | ByteList): Uint8Array | ByteList
  sendData(data: ByteList): SendResult
  decoder: Decoder
  /** The keys. `decrypt` without a place to write to makes new bytes. */
  handshake: { decrypt(data: Uint8Array | ByteList): Uint8Array | ByteList }
}

export interface SendResult {
  sentBytes: number
  canSendMore: boolean
}

interface Decoder {
  buffer: ByteList
  decode(data: ByteList): Iterable<Uint8Array | ByteList>
}

type Unknown<T> = { [Key in keyof T]?: unknown }

/** True while the library's stream is built as we know it. */
export function isEncrypted(stream: object): stream is Encrypted {
  const { encrypt, decrypt, sendData, decoder, handshake } = stream as Unknown<Encrypted>
  const { buffer, decode } = (decoder ?? {}) as Unknown<Decoder>
  const { decrypt: decryptNew } = (handshake ?? {}) as Unknown<Encrypted['handshake']>
  const isKnown = [encrypt, decrypt, sendData, decode, decryptNew].every((it) => typeof it === 'function')
  return isKnown && (buffer as ByteList | undefined)?.byteLength === 0
}
