import {
  Client,
  credentials,
  type handleClientStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js'
import { checkUpload, partsOf, type System } from '../system.ts'

// @grpc/grpc-js over TLS. Messages are plain bytes, so that no protobuf time is counted against it.

const bytes = (path: string, requestStream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream,
  responseStream: false,
  requestSerialize: (value) => value,
  requestDeserialize: (value) => value,
  responseSerialize: (value) => value,
  responseDeserialize: (value) => value,
})
const service = { echo: bytes('/bench/echo', false), upload: bytes('/bench/upload', true) }
const identity = (value: Buffer): Buffer => value

const echo: handleUnaryCall<Buffer, Buffer> = (call, answer) => answer(null, call.request)
const upload: handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
  let received = 0
  call.on('data', (part: Buffer) => (received += part.length))
  call.on('end', () => answer(null, Buffer.from(String(received))))
}

export const grpc: System = {
  async serve({ certificate: { key, cert } }) {
    const server = new Server()
    server.addService(service, { echo, upload })
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('localhost:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    return { port: String(port) }
  },
  async connect({ certificate: { cert } }, { port }) {
    const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(cert)))
    return {
      echo: (value) =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(
            service.echo.path,
            identity,
            identity,
            Buffer.from(value.buffer),
            (error, answer) => (error === null ? resolve(answer) : reject(error)),
          )
        }),
      upload: (parts) =>
        new Promise((resolve, reject) => {
          const call = client.makeClientStreamRequest(
            service.upload.path,
            identity,
            identity,
            (error, answer) => {
              if (error !== null) return reject(error)
              checkUpload(Number(answer?.toString()), parts)
              resolve()
            },
          )
          const source = partsOf(parts)
          const pump = (): void => {
            for (let step = source.next(); ; step = source.next()) {
              if (step.done === true) return void call.end()
              if (!call.write(Buffer.from(step.value.buffer))) return void call.once('drain', pump)
            }
          }
          pump()
        }),
    }
  },
}
