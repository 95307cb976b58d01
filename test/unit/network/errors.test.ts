import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { networkError } from '../../../src/network/errors.ts'

function named(name: string, cause?: unknown): Error {
  const error = new Error('from the library', { cause })
  error.name = name
  return error
}
const aborted = (reason: unknown): AbortSignal =>
  AbortSignal.any([new AbortController().signal, AbortSignal.abort(reason)])

test('a time limit of our own says that the peer did not answer, not that the call is over', () => {
  const timeout = new DOMException('The operation timed out', 'TimeoutError')
  expect(networkError(named('AbortError'), 'peer', aborted(timeout))).toMatchObject({
    reason: 'peer_unreachable',
    retryable: true,
    message: expect.stringContaining('did not answer in time') as string,
  })
})

test.each(['deadline_exceeded', 'cancelled', 'draining'] as const)('%s of the caller is kept', (reason) => {
  const error = new EasyNetError(reason, 'said by the caller')
  expect(networkError(named('AbortError'), 'peer', aborted(error))).toBe(error)
})

test('a caller that stops without a reason of ours has cancelled', () => {
  expect(networkError(named('AbortError'), 'peer', aborted(undefined))).toMatchObject({ reason: 'cancelled' })
})

test.each(['UnexpectedPeerError', 'InvalidCryptoExchangeError'])(
  '%s, also inside another error, means that another device answers',
  (name) => {
    const text = 'another device answers'
    expect(networkError(named(name), 'peer').message).toContain(text)
    expect(networkError(named('EncryptionFailedError', named(name)), 'peer').message).toContain(text)
    const several = new AggregateError([named('TimeoutError'), named(name)])
    expect(networkError(several, 'peer').message).toContain(text)
  },
)

test('a handshake that did not come to its end says nothing of another device', () => {
  const error = networkError(named('EncryptionFailedError'), 'peer')
  expect(error).toMatchObject({ reason: 'peer_unreachable', details: { failure: 'EncryptionFailedError' } })
  expect(error.message).not.toContain('another device')
  expect(networkError(named('EncryptionFailedError', named('TimeoutError')), 'peer').message).toContain(
    'did not answer in time',
  )
})
