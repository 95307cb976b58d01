import type { StreamMiddleware } from '@libp2p/interface'
import type { PeerGate } from './peer-gate.ts'

/** What strangers may use: to introduce themselves, and what libp2p needs for a connection to live. */
const FOR_EVERYBODY: ReadonlySet<string> = new Set([
  '/easynet/hello/1.0.0',
  '/easynet/join/1.0.0',
  '/ipfs/id/1.0.0',
  '/ipfs/id/push/1.0.0',
  '/ipfs/ping/1.0.0',
  '/libp2p/circuit/relay/0.2.0/hop',
  '/libp2p/circuit/relay/0.2.0/stop',
])

interface Components {
  registrar: { getMiddleware: (protocol: string) => StreamMiddleware[] }
}

/**
 * A libp2p service that lets no stream through, in or out, before the gate has admitted its peer: the DHT
 * and gossip as well as our own protocols, and whatever is added later.
 *
 * The library's own `use()` cannot do this: for every inbound stream it appends the handler to the list of
 * middleware that was given (libp2p 3.3, connection.js), so that the second stream is served twice.
 */
export function guardRegistrar(gate: PeerGate): (components: Components) => object {
  return ({ registrar }) => {
    const guard: StreamMiddleware = async (stream, connection, next) => {
      await gate.pass(connection.remotePeer.toString())
      next(stream, connection)
    }
    registrar.getMiddleware = (protocol) => (FOR_EVERYBODY.has(protocol) ? [] : [guard])
    return {}
  }
}
