import { expect, test } from 'vitest'
import { eventually } from '../integration/support/eventually.ts'
import { startDaemon } from './support/daemon.ts'
import { addressOf, startMesh, untilKnown } from './support/mesh.ts'
import { startProviderProgram } from './support/program.ts'

test('an app that dies gives its running callers `interrupted` at once, and its functions are withdrawn', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect', 'upper')
  const call = app.call('effect', ['a', 60_000])
  const failed = expect(call).rejects.toMatchObject({ reason: 'interrupted', code: 'aborted' })
  await eventually(() => program.effects().includes('start a'))
  await program.kill()
  await failed
  await eventually(async () => (await app.functions()).length === 0)
  await expect(app.call('upper', ['x'])).rejects.toMatchObject({ reason: 'no_provider' })
})

test('a provider killed during a call and started again: the verdict comes by asking', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect')
  const call = app.call('effect', ['b', 60_000], { timeoutMs: 50_000 })
  const failed = expect(call).rejects.toMatchObject({ reason: 'interrupted' })
  await eventually(() => program.effects().includes('start b'))
  await mesh.provider.kill()
  await using again = await startDaemon({
    home: mesh.provider.home,
    args: ['--bootstrap', addressOf(mesh.boot)],
  })
  expect(again.peerId).toBe(mesh.provider.peerId)
  await failed
  expect(program.effects().filter((line) => line === 'start b')).toHaveLength(1)
})

test('a provider that stays away: the verdict is `unknown`, and later the truth', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect')
  let id = ''
  const call = app.call('effect', ['c', 60_000], { timeoutMs: 3_000, onAccepted: (given) => (id = given) })
  const failed = expect(call).rejects.toMatchObject({ reason: 'outcome_unknown' })
  await eventually(() => program.effects().includes('start c'))
  await mesh.provider.kill()
  await failed
  expect(await app.outcome(id)).toMatchObject({ id, state: 'unknown' })
  await using again = await startDaemon({
    home: mesh.provider.home,
    args: ['--bootstrap', addressOf(mesh.boot)],
  })
  await eventually(async () => (await app.outcome(id)).state === 'interrupted', 20_000)
  expect(again.peerId).toBe(mesh.provider.peerId)
})

test('a call outlives the connection: the result is fetched when the provider is reachable again', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect')
  let id = ''
  const call = app.call('effect', ['d', 2_000], { onAccepted: (given) => (id = given) })
  const lost = call.catch((error: unknown) => error)
  await eventually(() => program.effects().includes('start d'))
  // The caller's daemon dies; the provider goes on and keeps the result.
  await mesh.caller.kill()
  await using again = await startDaemon({
    home: mesh.caller.home,
    args: ['--bootstrap', addressOf(mesh.boot)],
  })
  await eventually(() => program.effects().includes('end d'))
  const record = await eventually(async () => {
    const response = await again.fetch(`/v1/calls/${id}`)
    const body = (await response.json()) as { state: string; result?: unknown }
    return body.state === 'done' ? body : undefined
  }, 20_000)
  expect(record).toMatchObject({ state: 'done', result: 'd' })
  expect(program.effects().filter((line) => line === 'start d')).toHaveLength(1)
  await lost
})

test('an idempotent call moves to another provider when the first one is killed', async () => {
  await using mesh = await startMesh()
  await using first = await startProviderProgram(mesh.provider.home)
  await using second = await startProviderProgram(mesh.boot.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'slow.pid')
  await eventually(async () => {
    const [fn] = await app.functions('slow.pid')
    return fn?.providers.length === 2
  })
  const call = app.callWithInfo('slow.pid', [])
  const started = await eventually(() => [first, second].find((program) => program.effects().length > 0))
  const [victim, survivor] = started === first ? [mesh.provider, second] : [mesh.boot, first]
  await victim.kill()
  const info = await call
  expect(info).toMatchObject({ result: survivor.pid, attempts: 2 })
  expect(info.failed[0]?.provider.peerId).toBe(victim.peerId)
})

test('without the bootstrap daemon running calls go on and new ones work; its peers come back to it', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect', 'upper')
  const running = app.call('effect', ['through', 1_500])
  await eventually(() => program.effects().includes('start through'))
  const bootAddress = addressOf(mesh.boot)
  await mesh.boot.kill()
  expect(await app.call('upper', ['new'])).toBe('NEW')
  expect(await running).toBe('through')
  // At the same address, as it is in the settings of the others.
  const listen = bootAddress.slice(0, bootAddress.indexOf('/p2p/'))
  const args = ['--name', 'boot', '--api', '127.0.0.1:0', '--listen', listen, '--no-mdns']
  await using again = await startDaemon({ home: mesh.boot.home, args, onlyArgs: true })
  await eventually(async () => {
    const { peers } = (await (await again.fetch('/v1/peers')).json()) as {
      peers: { peerId: string; connected: boolean }[]
    }
    const back = peers.filter(({ connected }) => connected).map(({ peerId }) => peerId)
    return [mesh.provider.peerId, mesh.caller.peerId].every((peerId) => back.includes(peerId))
  }, 40_000)
  await untilKnown(again, 'upper')
})

test('a restarted daemon finds its peers again without any bootstrap', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  await untilKnown(mesh.caller, 'upper')
  await mesh.caller.stop()
  await using again = await startDaemon({ home: mesh.caller.home })
  const app = await mesh.attach(again)
  expect(await app.call('upper', ['back'])).toBe('BACK')
  await eventually(async () => {
    const { peers } = (await (await again.fetch('/v1/peers')).json()) as { peers: { connected: boolean }[] }
    return peers.filter((peer) => peer.connected).length >= 2
  })
  expect(program.pid).toBeGreaterThan(0)
})
