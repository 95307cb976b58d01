import { Socket } from 'node:net'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'

// Noise as the library has it, with two costs taken out of its connections. Both reach into what the
// library does not promise; where it has changed, the connection works as it would without. A test says
// when that happens (test/unit/network/tuned-noise.test.ts); docs/performance.md has the numbers.

type Components = Parameters<ReturnType<typeof noise>>[0]

/** The list of byte arrays that libp2p passes around. */
type ByteList = Exclude<Parameters<MessageStream['send']>[0], Uint8Array>

/** What we touch of the library's encrypted stream. */
interface Encrypted {
  sendData(data: ByteList): unknown
  decoder: { lengthDecoder(data: ByteList): number }
}

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
  readLengthsWithoutStacks(secured)
  const { socket } = connection as { socket?: unknown }
  if (socket instanceof Socket) joinWrites(secured, socket)
}

/** True while the library's stream is built as we know it. */
export function isEncrypted(stream: object): stream is Encrypted {
  const { sendData, decoder } = stream as Partial<Encrypted>
  return typeof sendData === 'function' && typeof decoder?.lengthDecoder === 'function'
}

/**
 * Everything sent in one turn of the event loop leaves in one system call. Without this a message is two
 * writes, its length and its body, and each yamux window update two more.
 */
function joinWrites(secured: Encrypted, socket: Socket): void {
  const send = secured.sendData.bind(secured)
  let isCorked = false
  const uncork = (): void => {
    isCorked = false
    socket.uncork()
  }
  secured.sendData = (data) => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      setImmediate(uncork)
    }
    return send(data)
  }
}

const TOO_SHORT = new RangeError('The length has not arrived.')

/**
 * The library's decoder tries to read one length too many after every piece that arrives, and takes the
 * error for the end. This is the same error each time: without a new stack, the dearest part of it.
 */
function readLengthsWithoutStacks({ decoder }: Encrypted): void {
  decoder.lengthDecoder = (data) => {
    if (data.byteLength < 2) throw TOO_SHORT
    return data.get(0) * 256 + data.get(1)
  }
}
