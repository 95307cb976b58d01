import { EasyNetError } from '../errors/error.ts'
import { abortReason } from '../util/signals.ts'

/**
 * Translates a failure of libp2p, once, here: everybody else sees our reasons only. The per-address
 * causes stay in `cause`, for logs.
 */
export function networkError(error: unknown, peerId: string, signal?: AbortSignal): EasyNetError {
  if (error instanceof EasyNetError) return error
  // A time limit of ours on one step is no deadline of the call: that one comes with a reason of ours.
  if (signal?.aborted && !isTimeout(signal.reason)) return abortReason(signal)
  const name = signal?.aborted ? 'TimeoutError' : nameOf(error)
  return new EasyNetError(
    'peer_unreachable',
    `Peer ${peerId.slice(-8)} cannot be reached: ${explain(name)}.`,
    {
      cause: error,
      details: { peerId, failure: name },
      hint: 'Check that the device is on and its daemon runs: easynet peer ls',
    },
  )
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError'
}

/** The name of what went wrong: of the causes inside, the one that says most. */
function nameOf(error: unknown): string {
  const names = [...namesIn(error)]
  return (
    names.find((name) => OTHER_DEVICE.includes(name)) ??
    names.find((name) => name === 'TimeoutError') ??
    names[0] ??
    ''
  )
}

const OTHER_DEVICE = ['UnexpectedPeerError', 'InvalidCryptoExchangeError']

function* namesIn(error: unknown): Generator<string> {
  if (!(error instanceof Error)) return
  // The library keeps of a failed handshake nothing but its message.
  const isOther = error.name === 'EncryptionFailedError' && error.message.includes(WRONG_KEY)
  yield isOther ? 'UnexpectedPeerError' : error.name
  for (const inner of error instanceof AggregateError ? error.errors : [error.cause]) yield* namesIn(inner)
}

const WRONG_KEY = 'does not match expected remote identity key'

function explain(name: string): string {
  switch (name) {
    case 'NoValidAddressesError':
    case 'NotFoundError':
      return 'no address of it is known'
    case 'UnsupportedProtocolError':
      return 'it does not speak this protocol'
    case 'UnexpectedPeerError':
    case 'InvalidCryptoExchangeError':
      return 'another device answers at its address'
    case 'TimeoutError':
    case 'AbortError':
      return 'it did not answer in time'
    case 'EncryptionFailedError':
      return 'what answers at its address made no secure connection'
    case 'DialDeniedError':
    case 'ConnectionDeniedError':
      return 'the connection is not allowed (blocked peer)'
    case 'TooManyOutboundProtocolStreamsError':
      return 'too many streams to it are open'
    default:
      return 'no connection could be made'
  }
}
