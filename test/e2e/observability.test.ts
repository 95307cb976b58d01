import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallDetails } from '../../src/model/call.ts'
import { CALL_PROTOCOL } from '../../src/protocols/call/constants.ts'
import type { CallContext, Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { parseMetrics } from '../unit/support/prometheus.ts'
import { type Daemon, runDaemon, startDaemon } from './support/daemon.ts'
import { type DaemonMesh, startMesh, untilKnown } from './support/mesh.ts'

const root = resolve(import.meta.dirname, '../..')
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`
const SECRET = 'a-word-that-only-the-arguments-have'
let mesh: DaemonMesh
let serve: ChildProcess
let app: Mesh

beforeAll(async () => {
  mesh = await startMesh({ args: ['--log-level', 'trace'] })
  const program = await mesh.attach(mesh.provider)
  await program.register('trace', (ctx: CallContext) => ctx.traceparent)
  await program.register('slow', async () => new Promise((done) => setTimeout(() => done(SECRET), 100)))
  await program.register('fails', (text: string) => {
    throw new Error(`${text} is wrong`)
  })
  await program.register('count', async function* (text: string) {
    yield text
    yield text
  })
  serve = spawn(
    join(root, 'bin/easynet'),
    ['serve', join(import.meta.dirname, 'support/functions.py'), '--home', mesh.provider.home],
    { stdio: 'ignore' },
  )
  app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'trace', 'slow', 'fails', 'count', 'py_trace')
})
afterAll(async () => {
  serve?.kill('SIGTERM')
  if (serve?.exitCode === null && serve.signalCode === null) await once(serve, 'exit')
  await mesh?.[Symbol.asyncDispose]()
})

describe('the trace context of a call', () => {
  test.each(['trace', 'py_trace'])('reaches %s on another device, over the app connection', async (fn) => {
    expect(await app.call(fn, [], { traceparent: TRACEPARENT })).toBe(TRACEPARENT)
  })

  test.each(['trace', 'py_trace'])('reaches %s on another device, over HTTP', async (fn) => {
    expect(await post(fn, { traceparent: TRACEPARENT })).toMatchObject({ result: TRACEPARENT })
  })

  test('is sent by Python too', async () => {
    const script = [
      'import sys, easynet',
      `client = easynet.Client(home=sys.argv[1]).with_options(traceparent="${TRACEPARENT}")`,
      'print(client.execute("trace"))',
    ].join('\n')
    expect(await python(script, mesh.caller.home)).toBe(`${TRACEPARENT}\n`)
  })

  test('is made of the id when there is none, or one that is malformed', async () => {
    for (const headers of [{}, { traceparent: `${TRACEPARENT}-x` }, { traceparent: '00-zz-1-1' }]) {
      const { id, result } = await post('trace', headers)
      expect(result).toContain(id.replaceAll('-', ''))
    }
    const { id, result } = await app.callWithInfo('py_trace', [], { traceparent: 'none' })
    expect(result).toContain(id.replaceAll('-', ''))
  })
})

describe('the timeline of a call', () => {
  test('tells its way through all five places, in order', async () => {
    const { id } = await app.callWithInfo('slow', [], { traceparent: TRACEPARENT })
    const call = await details(id)
    expect(call.traceparent).toBe(TRACEPARENT)
    const steps = (call.timeline ?? []).map(({ where, what }) => `${where} ${what}`)
    expect(steps).toEqual([
      'app called',
      'caller accepted',
      'caller provider chosen',
      'wire sent',
      'provider received',
      'function started',
      'function ended',
      'provider answered',
      'wire answer received',
      'caller ended',
    ])
    const at = (step: string): number => call.timeline?.[steps.indexOf(step)]?.at ?? NaN
    expect(at('function ended') - at('function started')).toBeGreaterThan(95)
    expect(at('wire answer received')).toBeGreaterThanOrEqual(at('provider answered'))
    expect(call.timeline?.find(({ where }) => where === 'function')?.peer?.name).toBe('provider')
  })

  test('of a stream has its first chunk; of a failure the reason', async () => {
    const ids: string[] = []
    const onAccepted = (id: string): void => void ids.push(id)
    for await (const chunk of app.stream('count', ['x'], { onAccepted })) expect(chunk).toBe('x')
    await expect(app.call('fails', ['x'], { onAccepted })).rejects.toMatchObject({ reason: 'function_error' })
    const [stream, failure] = await Promise.all(ids.map(details))
    expect(stream?.timeline).toContainEqual(expect.objectContaining({ where: 'wire', what: 'first chunk' }))
    expect(failure?.timeline).toContainEqual(
      expect.objectContaining({ where: 'caller', what: 'attempt failed: function_error' }),
    )
  })

  test('is printed by easynet task show', async () => {
    const { id } = await app.callWithInfo('slow')
    const child = spawn(join(root, 'bin/easynet'), ['task', 'show', id, '--home', mesh.caller.home])
    const text = await outputOf(child)
    expect(text).toMatch(/function\s+started\s+provider/)
    expect(text).toMatch(/\d+\.\d\d ms\s+caller\s+ended/)
  })
})

describe('the numbers of a daemon', () => {
  test('count its calls, those it made and those it ran', async () => {
    const before = [await scrape(mesh.caller), await scrape(mesh.provider)]
    for (let round = 0; round < 3; round += 1) await app.call('trace')
    await expect(app.call('fails', ['x'])).rejects.toThrow()
    const after = [await scrape(mesh.caller), await scrape(mesh.provider)]
    const grew = (index: number, name: string, labels: Record<string, string>): number =>
      (after[index]?.value(name, labels) ?? 0) - (before[index]?.value(name, labels) ?? 0)
    for (const [index, role] of ['caller', 'provider'].entries()) {
      expect(grew(index, 'easynet_calls_total', { role, fn: 'trace', code: 'ok' })).toBe(3)
      expect(grew(index, 'easynet_calls_total', { role, fn: 'fails', code: 'unknown' })).toBe(1)
      expect(grew(index, 'easynet_call_duration_seconds_count', { role })).toBe(4)
    }
    expect(after[0]?.value('easynet_peers')).toBeGreaterThanOrEqual(1)
    expect(after[1]?.value('easynet_functions')).toBeGreaterThan(5)
    expect(after[1]?.value('easynet_calls_running')).toBe(0)
    expect(after[0]?.value('easynet_event_loop_lag_seconds', { quantile: '1' })).toBeLessThan(10)
    expect(after[0]?.value('process_resident_memory_bytes')).toBeGreaterThan(1e7)
  })

  test('have the bytes on the wire and what libp2p does', async () => {
    const before = await scrape(mesh.caller)
    const sentBytes = 300_000
    await app.call('trace', [new Uint8Array(sentBytes)]).catch(() => undefined)
    const after = await scrape(mesh.caller)
    const bytes = (direction: string): number =>
      (after.value('easynet_network_bytes_total', { direction }) ?? 0) -
      (before.value('easynet_network_bytes_total', { direction }) ?? 0)
    expect(bytes('sent')).toBeGreaterThan(sentBytes)
    expect(bytes('sent')).toBeLessThan(2 * sentBytes)
    expect(bytes('received')).toBeGreaterThan(0)
    expect(bytes('received')).toBeLessThan(sentBytes)
    const { value } = after
    const connections = ['inbound', 'outbound'].map(
      (direction) => value('libp2p_connections', { direction }) ?? 0,
    )
    expect((connections[0] ?? 0) + (connections[1] ?? 0)).toBeGreaterThanOrEqual(
      value('easynet_peers') ?? NaN,
    )
    expect(value('libp2p_streams', { protocol: CALL_PROTOCOL })).toBeGreaterThan(0)
    expect(value('libp2p_gossip_peers')).toBeGreaterThan(0)
    expect(value('libp2p_dht_peers')).toBeGreaterThan(0)
    expect(value('libp2p_dial_queue')).toBeGreaterThanOrEqual(0)
  })

  test('are text for Prometheus, behind the token, and documented', async () => {
    const response = await mesh.caller.fetch('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect((await fetch(new URL('/metrics', mesh.caller.url))).status).toBe(401)
    const document = (await (await mesh.caller.fetch('/v1/openapi.json')).json()) as OpenApi
    expect(Object.keys(document.paths['/metrics']?.get?.responses['200']?.content ?? {})).toEqual([
      'text/plain',
    ])
  })
})

test('events tell the start and the end of a call on both devices, and a reader goes on where it was', async () => {
  const [caller, provider] = await Promise.all([eventsOf(mesh.caller), eventsOf(mesh.provider)])
  await app.call('slow')
  const isEnd = (type: string): boolean => type === 'call:end'
  const [made, ran] = await Promise.all([caller.until(isEnd), provider.until(isEnd)])
  for (const [events, role] of [
    [made, 'caller'],
    [ran, 'provider'],
  ] as const) {
    const calls = events.filter(({ type }) => type.startsWith('call:'))
    expect(calls.map(({ type }) => type)).toEqual(['call:start', 'call:end'])
    expect(calls[0]?.data).toMatchObject({ fn: 'slow', role })
    expect(calls[1]?.data).toMatchObject({ fn: 'slow', role, state: 'done' })
  }
  const [start, end] = made.filter(({ type }) => type.startsWith('call:'))
  const again = await (await eventsOf(mesh.caller, start?.id)).until(isEnd)
  expect(again.at(-1)).toEqual(end)
})

test('every call that ended is a line in the log of both devices', async () => {
  const { id } = await app.callWithInfo('slow')
  await expect(app.call('fails', ['x'])).rejects.toThrow()
  for (const [daemon, role] of [
    [mesh.caller, 'caller'],
    [mesh.provider, 'provider'],
  ] as const) {
    const lines = (): Record<string, unknown>[] =>
      daemon
        .stderr()
        .split('\n')
        .filter((line) => line.includes('"call ended"'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    await eventually(() => lines().at(-1)?.['fn'] === 'fails')
    const [slow, fails] = lines().slice(-2)
    expect(slow).toMatchObject({ level: 'info', id, fn: 'slow', role, state: 'done' })
    expect(fails).toMatchObject({ role, state: 'failed', reason: 'function_error' })
    expect(JSON.stringify(fails)).not.toContain('is wrong')
  }
})

test('no argument and no result reaches the log, at any level', async () => {
  const secret = { deep: [SECRET, new TextEncoder().encode(SECRET)] }
  await app.call('count', [secret])
  await app.call('slow', [], { kwargs: { [SECRET]: SECRET } }).catch(() => undefined)
  await app.call('word_count', [SECRET])
  await expect(app.call('fails', [SECRET])).rejects.toThrow(SECRET)
  await expect(app.call('word_count', [], { kwargs: { text: { [SECRET]: 1 } } })).rejects.toThrow()
  await expect(app.call('not.there', [SECRET])).rejects.toThrow()
  await expect(app.call('slow', [SECRET], { timeoutMs: 20 })).rejects.toThrow()
  await post('count', {}, [SECRET])
  await mesh.caller.fetch('/v1/calls', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"fn":"count","args":["${SECRET}"`,
  })
  await eventually(() => Promise.resolve(mesh.caller.stderr().includes('"serving"')))
  for (const daemon of [mesh.boot, mesh.caller, mesh.provider]) {
    const lines = daemon.stderr().split('\n').filter(Boolean)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => line.includes(SECRET) || line.includes(btoa(SECRET)))).toEqual([])
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) })
  }
})

test('with --log-file the log goes there, and errors of the start stay on stderr', async () => {
  await using daemon = await startDaemon({ args: ['--log-file', 'daemon.log'] })
  const lines = readFileSync(join(daemon.home, 'daemon.log'), 'utf8').trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('serving')
  expect(daemon.stderr()).toBe('')
  const refused = await runDaemon({ home: daemon.home, args: ['--log-file', 'daemon.log'] })
  expect(refused.stderr).toContain(String(daemon.pid))
})

interface OpenApi {
  paths: Record<string, { get?: { responses: Record<string, { content?: object }> } }>
}

async function scrape(daemon: Daemon) {
  return parseMetrics(await (await daemon.fetch('/metrics')).text())
}

interface ReadEvent {
  id: number
  type: string
  data: Record<string, unknown>
}

/** Follows the events of a daemon; resolves once it listens. */
async function eventsOf(daemon: Daemon, after?: number) {
  const stop = new AbortController()
  const response = await daemon.fetch('/v1/events', {
    signal: stop.signal,
    headers: after === undefined ? {} : { 'last-event-id': String(after) },
  })
  return {
    async until(isLast: (type: string) => boolean): Promise<ReadEvent[]> {
      const events: ReadEvent[] = []
      let text = ''
      for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += part
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data === undefined) continue
          events.push(JSON.parse(data) as ReadEvent)
          if (isLast(events.at(-1)?.type ?? '')) return (stop.abort(), events)
        }
      }
      throw new Error('The events ended.')
    },
  }
}

async function details(id: string): Promise<CallDetails> {
  return (await (await mesh.caller.fetch(`/v1/calls/${id}`)).json()) as CallDetails
}

async function post(fn: string, headers: Record<string, string>, args: unknown[] = []) {
  const response = await mesh.caller.fetch('/v1/calls', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ fn, args }),
  })
  return (await response.json()) as { id: string; result: unknown }
}

async function python(script: string, home: string): Promise<string> {
  const child = spawn('python3', ['-c', script, home], { cwd: join(root, 'sdk/python') })
  return outputOf(child)
}

async function outputOf(child: ReturnType<typeof spawn>): Promise<string> {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part))
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (text += part))
  await once(child, 'close')
  return text
}
