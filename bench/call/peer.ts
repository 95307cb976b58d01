// One side of one system, as a process of its own: `peer.ts <system> serve|connect`, told by main.ts
// over the IPC channel what to do.
import { measure, type Step } from './measure.ts'
import type { Address, Client, PeerInit, System } from './system.ts'

export type Order =
  | { kind: 'serve'; init: PeerInit }
  | { kind: 'connect'; init: PeerInit; address: Address }
  | { kind: 'measure'; step: Step }

const [name = ''] = process.argv.slice(2)
const system = await load(name)
let client: Client | undefined

process.on('message', (order: Order) => {
  obey(order).then(
    (done) => process.send?.({ done }),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ done: 'loaded' })

async function obey(order: Order): Promise<unknown> {
  if (order.kind === 'serve') return system.serve(order.init)
  if (order.kind === 'connect') {
    client = await system.connect(order.init, order.address)
    return {}
  }
  if (client === undefined) throw new Error('not connected')
  return measure(client, order.step)
}

async function load(system: string): Promise<System> {
  switch (system) {
    case 'easynet-node':
      return (await import('./systems/easynet-node.ts')).easynetNode
    case 'easynet-journaled':
      return (await import('./systems/easynet-node.ts')).easynetNodeJournaled
    case 'easynet-whole':
      return (await import('./systems/easynet-whole.ts')).easynetWhole
    case 'grpc':
      return (await import('./systems/grpc.ts')).grpc
    case 'tls':
      return (await import('./systems/tls.ts')).tls
    case 'hyperdht':
      return (await import('./systems/hyperdht.ts')).hyperdht
    default:
      throw new Error(`no system "${system}"`)
  }
}
