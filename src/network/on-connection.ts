import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'

export type CreateEncrypter<Components> = (components: Components) => ConnectionEncrypter

/**
 * Shows every connection to `watch` once it is encrypted: as it is on the wire, and as the multiplexer sees
 * it. Here, since libp2p shows the bytes of a connection to nobody who is not on the way up.
 */
export function onConnection<Components>(
  create: CreateEncrypter<Components>,
  watch: (wire: MessageStream, secured: SecuredConnection) => void,
): CreateEncrypter<Components> {
  return (components) => {
    const encrypter = create(components)
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = async (connection, options) => {
      const secured = await inbound(connection, options)
      watch(connection, secured)
      return secured
    }
    encrypter.secureOutbound = async (connection, options) => {
      const secured = await outbound(connection, options)
      watch(connection, secured)
      return secured
    }
    return encrypter
  }
}

/**
 * Refuses peers that do not agree on the multiplexer within the encrypted handshake. What they would
 * negotiate after it is read by the library without a look at its lengths, and nobody needs it.
 */
export function requireEarlyMuxer<Components>(
  create: CreateEncrypter<Components>,
): CreateEncrypter<Components> {
  return onConnection(create, (_, secured) => {
    if (secured.streamMuxer !== undefined) return
    throw new EasyNetError('protocol_violation', 'A peer did not name its multiplexer in the handshake.')
  })
}
