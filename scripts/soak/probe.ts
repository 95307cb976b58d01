// Preloaded (`--expose-gc --import probe.ts`) into processes that the soak test watches, and into nothing else:
// answers `{ probe: n }` on the IPC channel with what is alive after a collection.
import { EventEmitter, getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'

/** What a process holds, after a collection. */
export interface Held {
  heapBytes: number
  /** Buffers and other memory outside the heap that JavaScript objects own. */
  externalBytes: number
  rssBytes: number
  /** Timers that wait, those included that do not keep the process running. */
  timers: number
  /** Listeners of every emitter and event target that is alive. */
  listeners: number
  /** Abort signals that are alive and were listened to. */
  signals: number
  /** What keeps the event loop going, without timers: sockets, pipes, servers. */
  handles: number
  /** Listeners by class of the target and type, such as `Socket close`. */
  listenersOf: Record<string, number>
}

type Target = EventEmitter | EventTarget
const targets = new Set<WeakRef<Target>>()
/** Types that were listened to. A target that is seen for the first time is remembered in `targets`. */
const typesOf = new WeakMap<Target, Set<string | symbol>>()
const timers = new Set<WeakRef<object>>()

function note(target: Target, type: string | symbol): void {
  let types = typesOf.get(target)
  if (types === undefined) {
    types = new Set()
    typesOf.set(target, types)
    targets.add(new WeakRef(target))
  }
  types.add(type)
}

function noteCallsOf(prototype: Target, name: string): void {
  const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown
  Reflect.set(prototype, name, function noted(this: Target, ...args: unknown[]) {
    note(this, args[0] as string)
    return Reflect.apply(method, this, args)
  })
}
noteCallsOf(EventTarget.prototype, 'addEventListener')
for (const name of ['on', 'addListener', 'prependListener']) noteCallsOf(EventEmitter.prototype, name)
for (const name of ['setTimeout', 'setInterval'] as const) {
  const set = globalThis[name] as unknown as (...args: unknown[]) => NodeJS.Timeout
  const noted = (...args: unknown[]): NodeJS.Timeout => {
    const timer = set(...args)
    timers.add(new WeakRef(timer))
    return timer
  }
  // What Node adds to it, such as the promise version.
  Object.assign(globalThis, { [name]: Object.defineProperties(noted, Object.getOwnPropertyDescriptors(set)) })
}

function countTargets(): Pick<Held, 'listeners' | 'signals' | 'listenersOf'> {
  let [listeners, signals] = [0, 0]
  const listenersOf: Record<string, number> = {}
  for (const target of living(targets)) {
    if (target instanceof AbortSignal) signals += 1
    for (const type of typesOf.get(target) ?? []) {
      const count = listenersOfType(target, type)
      const what = `${target.constructor.name} ${String(type)}`
      listenersOf[what] = (listenersOf[what] ?? 0) + count
      listeners += count
    }
  }
  return { listeners, signals, listenersOf }
}

function listenersOfType(target: Target, type: string | symbol): number {
  return target instanceof EventEmitter
    ? target.listenerCount(type)
    : getEventListeners(target, type as string).length
}

function* living<T extends object>(references: Set<WeakRef<T>>): Generator<T> {
  for (const reference of references) {
    const object = reference.deref()
    if (object === undefined) references.delete(reference)
    else yield object
  }
}

function countTimers(): number {
  let count = 0
  // The library has no public word for it.
  for (const timer of living(timers)) if ((timer as { _destroyed?: boolean })._destroyed === false) count += 1
  return count
}

async function measure(): Promise<Held> {
  globalThis.gc?.()
  // What a finalizer frees goes with the second one.
  await turn()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().filter((name) => !/^(Timeout|Immediate)$/.test(name))
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    timers: countTimers(),
    handles: handles.length,
    ...countTargets(),
  }
}

process.on('message', (message: { probe?: number }) => {
  if (message.probe === undefined) return
  void measure().then((held) => process.send?.({ probe: message.probe, held }))
})
// Whoever watched is gone.
process.on('disconnect', () => process.exit())
// What is watched decides itself how long it runs.
process.channel?.unref()
