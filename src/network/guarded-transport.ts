import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'
import { IncomingBytes, type Negotiation } from './length-prefixes.ts'

/**
 * A transport that looks at the first bytes of every connection before the library does; see
 * `length-prefixes.ts`.
 *
 * @param encryption - the protocol with which every connection has to begin
 */
export function guardTransport<Components>(
  create: (components: Components) => Transport,
  encryption: string,
): (components: Components) => Transport {
  return (components) => {
    const transport = create(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = async (address, options) =>
      dial(address, { ...options, upgrader: watching(options.upgrader, encryption) })
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: watching(options.upgrader, encryption) })
    return transport
  }
}

function watching(upgrader: Upgrader, encryption: string): Upgrader {
  const watched = Object.create(upgrader) as Upgrader
  watched.upgradeInbound = async (connection, options) => {
    watch(connection, { accepts: (protocol) => protocol === encryption })
    return upgrader.upgradeInbound(connection, options)
  }
  watched.upgradeOutbound = async (connection, options) => {
    watch(connection, 'answer')
    return upgrader.upgradeOutbound(connection, options)
  }
  return watched
}

/** The library listens before the next bytes come, so nothing is lost to it. */
function watch(connection: MultiaddrConnection, negotiation: Negotiation): void {
  // What follows is encrypted, and read by lengths of two bytes.
  const bytes = new IncomingBytes(negotiation, () => false)
  const onMessage = (event: { data: Uint8Array | Iterable<Uint8Array> } & Event): void => {
    try {
      const { data } = event
      for (const part of data instanceof Uint8Array ? [data] : data) bytes.read(part)
      if (bytes.isFree) connection.removeEventListener('message', onMessage)
    } catch (error) {
      event.stopImmediatePropagation()
      connection.abort(EasyNetError.from(error))
    }
  }
  connection.addEventListener('message', onMessage)
}
