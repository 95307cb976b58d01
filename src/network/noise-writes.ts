import { Socket } from 'node:net'
import type { MessageStream } from '@libp2p/interface'
import { joinBytes } from '../util/bytes.ts'
import { releaseBytes } from '../util/release.ts'
import type { ByteList, Encrypted, SendResult } from './encrypted-stream.ts'

/** From here on copying bytes to join them costs more than a message of their own. */
const MAX_JOINED_BYTES = 16 * 1024
/** So much leaves before the turn ends: the other side works on it while this one makes the rest. */
const EARLY_BYTES = 2 * 1024
/** The most that one message can hold beside its tag. */
const MAX_PLAIN_BYTES = 65_535 - 16

/**
 * Small things sent in one turn of the event loop are one Noise message and one system call. The library
 * makes one of every yamux frame, and window updates are frames of their own.
 *
 * Long byte strings have messages of their own, with nothing else in them: so whoever reads them at the
 * other end has the memory of the message to himself and can give it back.
 */
export function tuneWrites(secured: Encrypted, connection: MessageStream): void {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let isTurnOpen = false
  const sendWaiting = (): void => {
    if (waitingBytes === 0) return
    const plain = joinBytes(waiting)
    waiting = []
    waitingBytes = 0
    if (connection.status === 'open') connection.send(secured.encrypt(plain).subarray())
  }
  const endTurn = (): void => {
    isTurnOpen = false
    sendWaiting()
  }
  const wait = (part: Uint8Array): void => {
    if (waitingBytes + part.length > MAX_JOINED_BYTES) sendWaiting()
    waiting.push(part)
    waitingBytes += part.length
    if (isTurnOpen) return
    isTurnOpen = true
    setImmediate(endTurn)
  }
  secured.sendData = (data) => {
    let end = 0
    for (const part of data) {
      let at = end
      end += part.length
      while (end - at >= MAX_JOINED_BYTES) {
        sendWaiting()
        const next = Math.min(at + MAX_PLAIN_BYTES, end)
        connection.send(secured.encrypt(data.sublist(at, next)))
        at = next
      }
      if (at < end) wait(part.subarray(part.length - (end - at)))
    }
    if (waitingBytes >= EARLY_BYTES) sendWaiting()
    return { sentBytes: end, canSendMore: !connection.writableNeedsDrain }
  }
  // The library closes a connection at its socket, past the encryption.
  const close = connection.close.bind(connection)
  connection.close = async (options) => {
    sendWaiting()
    await close(options)
  }
  if (isTcp(connection)) writeAtOnce(connection)
}

interface TcpConnection {
  readonly socket: Socket
  sendData(data: ByteList): SendResult
}

/** True while the library's TCP connection is built as we know it. */
export function isTcp(connection: object): connection is TcpConnection {
  const { socket, sendData } = connection as Partial<TcpConnection>
  return socket instanceof Socket && typeof sendData === 'function'
}

/**
 * A message is one system call, and its memory is given back as soon as the system has its bytes. The
 * library writes length, text and tag one by one, and stops at the first that fills the socket's queue.
 */
function writeAtOnce(connection: TcpConnection): void {
  const { socket } = connection
  connection.sendData = (data) => {
    const parts = [...data]
    // Encrypted bytes are new ones, which only we have.
    const release = (): void => parts.forEach(releaseBytes)
    socket.cork()
    parts.forEach((part, index) => {
      if (index < parts.length - 1) socket.write(part)
      else socket.write(part, (error) => error ?? release())
    })
    socket.uncork()
    if (socket.writableLength === 0) release()
    return {
      sentBytes: data.byteLength,
      canSendMore: socket.writableLength < socket.writableHighWaterMark,
    }
  }
}
