import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startLabMesh } from './lab-mesh.ts'

test.each([30_000, 90_000])(
  'a device whose link was cut silently for %i ms is noticed to be away, and reachable again soon after it is healed',
  async (cutMs) => {
    await using mesh = await startLabMesh({ hosts: ['boot', 'provider', 'caller'], links: { delayMs: 10 } })
    const { provider, caller } = mesh.hosts
    await provider!.program.register('here', () => 'here')
    for (const other of ['boot', 'provider']) await mesh.until(true, other, 'caller')
    const cutAt = performance.now()
    mesh.lab.cut('caller')
    const noticedMs = await Promise.all(
      ['boot', 'provider'].map(async (other) => mesh.until(false, other, 'caller')),
    )
    await sleep(cutMs - (performance.now() - cutAt))
    mesh.lab.heal('caller')
    // No call is made that would dial: the daemons find each other by themselves.
    const backMs = await Promise.all(
      ['boot', 'provider'].map(async (other) => mesh.until(true, other, 'caller')),
    )
    console.log(
      `cut for ${cutMs} ms: noticed after ${noticedMs.map(Math.round).join(', ')} ms, back after ${backMs.map(Math.round).join(', ')} ms`,
    )
    expect(await caller!.program.call('provider/here')).toBe('here')
  },
)

test('with 20 % loss on both uplinks and 40 ms, each of 100 small calls is answered', async () => {
  await using mesh = await startLabMesh({ hosts: ['provider', 'caller'], links: { delayMs: 10 } })
  const { provider, caller } = mesh.hosts
  await provider!.program.register('upper', (text: string) => text.toUpperCase(), { idempotent: true })
  await mesh.until(true, 'provider', 'caller')
  // Four uplinks' worth of delay from end to end and back: 40 ms.
  for (const host of ['provider', 'caller']) mesh.lab.link(host, { delayMs: 10, loss: 20 })
  const took: number[] = []
  for (let batch = 0; batch < 10; batch += 1) {
    const texts = Array.from({ length: 10 }, (_, n) => `call ${batch} ${n}`)
    const startedAt = performance.now()
    const results = await Promise.all(
      texts.map(async (text) => {
        const result = await caller!.program.call('provider/upper', [text], { timeoutMs: 60_000 })
        took.push(performance.now() - startedAt)
        return result
      }),
    )
    expect(results).toEqual(texts.map((text) => text.toUpperCase()))
  }
  took.sort((a, b) => a - b)
  console.log(`p50 ${took[49]?.toFixed(0)} ms, p99 ${took[98]?.toFixed(0)} ms`)
})
