import type { SingleKadDHT } from '@libp2p/kad-dht'
import type { Libp2pNode } from './libp2p.ts'
import type { NetworkNumbers } from './network.ts'
import type { Traffic } from './traffic.ts'

/** Protocols of streams that are being negotiated, and of those that are not ours. */
const OTHER = 'other'

/** Looked up when somebody asks: a node that nobody measures pays nothing for it. */
export function readNumbers(node: Libp2pNode, traffic: Traffic): NetworkNumbers {
  const connections = { inbound: 0, outbound: 0 }
  const streams: Record<string, number> = {}
  const own = new Set(node.getProtocols())
  for (const connection of node.getConnections()) {
    connections[connection.direction] += 1
    for (const { protocol } of connection.streams) {
      const name = own.has(protocol) ? protocol : OTHER
      streams[name] = (streams[name] ?? 0) + 1
    }
  }
  return {
    ...traffic.totals(),
    connections,
    streams,
    dialQueue: node.getDialQueue().length,
    dhtPeers: (node.services.dht as SingleKadDHT).routingTable.size,
    gossipPeers: node.services.pubsub.getPeers().length,
  }
}
