import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { checkUpload, partsOf, type System } from '../system.ts'

// Bare frames over TLS: length (u32), kind (u8), payload. Answers come in order. This is what the
// machine can do; it has no deadlines, no cancel, no limits and no errors.

const ECHO = 0
const PART = 1
const END = 2

export const tls: System = {
  async serve({ certificate }) {
    const server = createServer(certificate, (socket) => {
      const write = createWriter(socket)
      let received = 0
      readFrames(socket, (kind, payload) => {
        if (kind === PART) received += payload.length
        else if (kind === ECHO) write(ECHO, payload)
        else {
          write(END, Buffer.from(String(received)))
          received = 0
        }
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: String((server.address() as AddressInfo).port) }
  },
  async connect({ certificate }, { port }) {
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: certificate.cert,
    })
    await once(socket, 'secureConnect')
    const write = createWriter(socket)
    const waiting: ((payload: Buffer) => void)[] = []
    readFrames(socket, (_, payload) => waiting.shift()?.(payload))
    const ask = (kind: number, payload: Uint8Array): Promise<Buffer> =>
      new Promise((resolve) => {
        waiting.push(resolve)
        write(kind, payload)
      })
    return {
      echo: async (bytes) => ask(ECHO, bytes),
      async upload(parts) {
        for (const part of partsOf(parts)) {
          socket.write(header(PART, part.length))
          if (!socket.write(part)) await once(socket, 'drain')
        }
        checkUpload(Number((await ask(END, new Uint8Array())).toString()), parts)
      },
    }
  },
}

function header(kind: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(5)
  bytes.writeUInt32BE(length)
  bytes.writeUInt8(kind, 4)
  return bytes
}

/** Joins the frames of one turn of the event loop into one write. */
function createWriter(socket: TLSSocket): (kind: number, payload: Uint8Array) => void {
  let queue: Uint8Array[] = []
  socket.setNoDelay(true)
  return (kind, payload) => {
    if (queue.length === 0) {
      setImmediate(() => {
        socket.write(Buffer.concat(queue))
        queue = []
      })
    }
    queue.push(header(kind, payload.length), payload)
  }
}

function readFrames(socket: TLSSocket, onFrame: (kind: number, payload: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  let chunks: Buffer[] = []
  let bytes = 0
  let needed = 5
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes < needed) return
    rest = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    needed = 5
    while (rest.length - at >= 5) {
      const length = rest.readUInt32BE(at)
      if (rest.length - at < 5 + length) {
        needed = 5 + length
        break
      }
      onFrame(rest.readUInt8(at + 4), rest.subarray(at + 5, at + 5 + length))
      at += 5 + length
    }
    chunks = [rest.subarray(at)]
    bytes = rest.length - at
  })
}
