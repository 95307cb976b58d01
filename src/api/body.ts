import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { EasyNetError } from '../errors/error.ts'
import { joinBytes } from '../util/bytes.ts'
import { bodyTooLarge } from './guard.ts'

/**
 * Reads the whole body of `request`.
 *
 * @throws `too_large` as soon as it is longer than `maxBytes`, `invalid_request` when it is no UTF-8: a
 *   lenient decoder would call the function with other letters than were meant
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let length = 0
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut)
    }
    const onData = (part: Buffer): void => {
      length += part.length
      if (length <= maxBytes) {
        parts.push(part)
        return
      }
      stop()
      reject(bodyTooLarge(maxBytes))
    }
    const onEnd = (): void => {
      stop()
      const body = joinBytes(parts)
      if (!isUtf8(body)) return reject(new EasyNetError('invalid_request', 'The body is not valid UTF-8.'))
      resolve(Buffer.from(body.buffer, body.byteOffset, body.length))
    }
    const onCut = (): void => {
      stop()
      reject(new EasyNetError('cancelled', 'The client went away while it sent the request.'))
    }
    request.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
  })
}
