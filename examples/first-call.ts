// Run it beside a daemon (easynet up):   node examples/first-call.ts
import { connect, EasyNetError } from 'easynet'

await using mesh = await connect()
await mesh.register('demo.reverse', (text: string) => text.split(' ').reverse().join(' '))

console.log(await mesh.call('demo.reverse', ['one two three'])) // 'three two one'

const { provider, path, durationMs } = await mesh.callWithInfo('demo.reverse', ['again'])
console.log(`ran on ${provider.name} (${path}) in ${durationMs} ms`)

try {
  await mesh.call('nobody.offers.this', [], { timeoutMs: 5_000 })
} catch (error) {
  if (error instanceof EasyNetError) console.log(`${error.reason}: ${error.message}`)
}
