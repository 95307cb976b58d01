import { connect, type Socket } from 'node:net'
import { createRawSplitter } from '../../../../src/model/attach-splitter.ts'

export type Message = Record<string, unknown>
type Seen = Message & { blobs: readonly Uint8Array[] }

/** A program's side of `/v1/attach`, as bare as a library in another language would write it. */
export interface AttachClient {
  socket: Socket
  /** Everything that came and was not an answer. */
  seen: Seen[]
  /** Called for each request and notification of the daemon. */
  onMessage: (message: Seen) => void
  send(message: Message, blobs?: readonly Uint8Array[]): boolean
  /** Sends a request and waits for its result. */
  request(method: string, params: Message, blobs?: readonly Uint8Array[]): Promise<Seen>
  drained(): Promise<void>
  closed: Promise<void>
}

export interface AttachTarget {
  url: string
  socketPath?: string
  token: string
}

/** @throws Error with the response when the daemon refuses the upgrade */
export async function attach({ url, socketPath, token }: AttachTarget): Promise<AttachClient> {
  const { hostname, port } = new URL(url)
  const socket = socketPath === undefined ? connect(Number(port), hostname) : connect(socketPath)
  const host = socketPath === undefined ? `127.0.0.1:${port}` : 'localhost'
  const rest = await upgrade(socket, host, token)

  const answers = new Map<unknown, { resolve: (message: Seen) => void; reject: (error: Error) => void }>()
  let lastId = 0
  const client: AttachClient = {
    socket,
    seen: [],
    onMessage: () => {},
    send(message, blobs = []) {
      const bin = blobs.length === 0 ? {} : { bin: blobs.map((blob) => blob.length) }
      let hasRoom = socket.write(`${JSON.stringify({ ...message, ...bin })}\n`)
      for (const blob of blobs) hasRoom = socket.write(blob)
      return hasRoom
    },
    request(method, params, blobs) {
      lastId += 1
      const id = lastId
      return new Promise((resolve, reject) => {
        answers.set(id, { resolve, reject })
        client.send({ id, method, params }, blobs)
      })
    },
    drained: () =>
      new Promise((resolve) => {
        if (socket.writableNeedDrain) socket.once('drain', () => resolve())
        else resolve()
      }),
    closed: new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of answers.values()) reject(new Error('closed'))
        resolve()
      })
    }),
  }
  const split = createRawSplitter((json, blobs) => {
    const waiting = json['method'] === undefined ? answers.get(json['id']) : undefined
    if (waiting === undefined) {
      const message = { ...json, blobs }
      client.seen.push(message)
      client.onMessage(message)
      return
    }
    answers.delete(json['id'])
    if (json['error'] === undefined) waiting.resolve({ ...(json['result'] as Message), blobs })
    else
      waiting.reject(
        Object.assign(new Error('refused'), (json['error'] as Message)['data'], { rpc: json['error'] }),
      )
  })
  socket.on('error', () => socket.destroy())
  if (rest.length > 0) split(rest)
  socket.on('data', split)
  socket.on('end', () => socket.end())
  return client
}

async function upgrade(socket: Socket, host: string, token: string): Promise<Buffer> {
  socket.write(
    `GET /v1/attach HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n` +
      'Connection: Upgrade\r\nUpgrade: easynet\r\n\r\n',
  )
  let answer = Buffer.alloc(0)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const onData = (data: Buffer): void => {
    answer = Buffer.concat([answer, data])
    const end = answer.indexOf('\r\n\r\n')
    if (end === -1 || !answer.toString('latin1').startsWith('HTTP/1.1 101')) return
    socket.off('data', onData).off('close', onClose)
    resolve(answer.subarray(end + 4))
  }
  const onClose = (): void => reject(new Error(answer.toString()))
  socket.on('data', onData).once('close', onClose).once('error', reject)
  return promise
}
