import { Socket } from 'node:net'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { joinBytes } from '../util/bytes.ts'

// Noise as the library has it, with what it costs per message taken out of its connections. This reaches
// into what the library does not promise; where it has changed, the connection works as it would without.
// A test says when that happens (test/unit/network/tuned-noise.test.ts); docs/performance.md has the numbers.

type Components = Parameters<ReturnType<typeof noise>>[0]

/** The list of byte arrays that libp2p passes around. */
type ByteList = Exclude<Parameters<MessageStream['send']>[0], Uint8Array>

/** What we touch of the library's encrypted stream. */
interface Encrypted {
  encrypt(data: Uint8Array | ByteList): ByteList
  sendData(data: ByteList): { sentBytes: number; canSendMore: boolean }
  decoder: Decoder
}

interface Decoder {
  buffer: ByteList
  decode(data: ByteList): Iterable<Uint8Array | ByteList>
  lengthDecoder(data: ByteList): number
}

/** From here on copying bytes to join them costs more than a message of their own. */
const MAX_JOINED_BYTES = 16 * 1024
/** So much leaves before the turn ends: the other side works on it while this one makes the rest. */
const EARLY_BYTES = 2 * 1024

export function tunedNoise(): (components: Components) => ConnectionEncrypter {
  return (components) => {
    const encrypter = noise()(components)
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = async (connection, options) => {
      const secured = await inbound(connection, options)
      tune(connection, secured.connection)
      return secured
    }
    encrypter.secureOutbound = async (connection, options) => {
      const secured = await outbound(connection, options)
      tune(connection, secured.connection)
      return secured
    }
    return encrypter
  }
}

function tune(connection: MessageStream, secured: MessageStream): void {
  if (!isEncrypted(secured)) return
  readMessages(secured)
  joinWrites(secured, connection)
}

/** True while the library's stream is built as we know it. */
export function isEncrypted(stream: object): stream is Encrypted {
  const { encrypt, sendData, decoder } = stream as { [Key in keyof Encrypted]?: unknown }
  const { buffer, decode, lengthDecoder } = (decoder ?? {}) as { [Key in keyof Decoder]?: unknown }
  const isKnown = [encrypt, sendData, decode, lengthDecoder].every((member) => typeof member === 'function')
  return isKnown && (buffer as ByteList | undefined)?.byteLength === 0
}

/**
 * Small things sent in one turn of the event loop are one Noise message and one system call. The library
 * makes one of every yamux frame, and window updates are frames of their own.
 */
function joinWrites(secured: Encrypted, connection: MessageStream): void {
  const { socket } = connection as { socket?: unknown }
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let isCorked = false
  const sendWaiting = (): void => {
    if (waitingBytes === 0) return
    const plain = joinBytes(waiting)
    waiting = []
    waitingBytes = 0
    if (connection.status === 'open') connection.send(secured.encrypt(plain).subarray())
  }
  const endTurn = (): void => {
    isCorked = false
    sendWaiting()
    if (socket instanceof Socket) socket.uncork()
  }
  const sendNow = (): void => {
    sendWaiting()
    if (!(socket instanceof Socket)) return
    socket.uncork()
    socket.cork()
  }
  const send = secured.sendData.bind(secured)
  secured.sendData = (data) => {
    if (!isCorked) {
      isCorked = true
      if (socket instanceof Socket) socket.cork()
      setImmediate(endTurn)
    }
    if (waitingBytes + data.byteLength > MAX_JOINED_BYTES) sendWaiting()
    if (data.byteLength > MAX_JOINED_BYTES) return send(data)
    for (const part of data) waiting.push(part)
    waitingBytes += data.byteLength
    if (waitingBytes >= EARLY_BYTES) sendNow()
    return { sentBytes: data.byteLength, canSendMore: !connection.writableNeedsDrain }
  }
  // The library closes a connection at its socket, past the encryption.
  const close = connection.close.bind(connection)
  connection.close = async (options) => {
    sendWaiting()
    await close(options)
  }
}

const TOO_SHORT = new RangeError('The length has not arrived.')

/**
 * A piece that arrives is nearly always whole messages: these are cut out as they are. The library's
 * decoder, for all others, tries to read one length too many after every piece and takes the error for
 * the end; this is the same error each time, without a new stack, the dearest part of it.
 */
function readMessages({ decoder }: Encrypted): void {
  const decode = decoder.decode.bind(decoder)
  decoder.decode = (data) =>
    (decoder.buffer.byteLength === 0 ? wholeMessages(data) : undefined) ?? decode(data)
  decoder.lengthDecoder = (data) => {
    if (data.byteLength < 2) throw TOO_SHORT
    return data.get(0) * 256 + data.get(1)
  }
}

function wholeMessages(data: ByteList): Uint8Array[] | undefined {
  const [bytes] = data
  if (bytes?.length !== data.byteLength) return undefined
  const messages: Uint8Array[] = []
  let at = 0
  while (bytes.length - at >= 2) {
    const start = at + 2
    at = start + ((bytes[at] as number) << 8) + (bytes[at + 1] as number)
    messages.push(bytes.subarray(start, at))
  }
  return at === bytes.length ? messages : undefined
}
