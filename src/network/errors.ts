import { EasyNetError } from '../errors/error.ts'
import { abortReason } from '../util/signals.ts'

/**
 * Translates a failure of libp2p, once, here: everybody else sees our reasons only. The per-address
 * causes stay in `cause`, for logs.
 */
export function networkError(error: unknown, peerId: string, signal?: AbortSignal): EasyNetError {
  if (error instanceof EasyNetError) return error
  if (signal?.aborted) return abortReason(signal)
  const name = error instanceof Error ? error.name : ''
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

function explain(name: string): string {
  switch (name) {
    case 'NoValidAddressesError':
    case 'NotFoundError':
      return 'no address of it is known'
    case 'UnsupportedProtocolError':
      return 'it does not speak this protocol'
    case 'EncryptionFailedError':
    case 'UnexpectedPeerError':
    case 'InvalidCryptoExchangeError':
      return 'another device answers at its address'
    case 'TimeoutError':
    case 'AbortError':
      return 'it did not answer in time'
    case 'DialDeniedError':
    case 'ConnectionDeniedError':
      return 'the connection is not allowed (blocked peer)'
    case 'TooManyOutboundProtocolStreamsError':
      return 'too many streams to it are open'
    default:
      return 'no connection could be made'
  }
}
