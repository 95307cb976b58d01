import { setTimeout as wait } from 'node:timers/promises'
import { type CallContext, fn, type FunctionDefinition } from '../../src/sdk/index.ts'

/** Runs of `soak.once` that are remembered, to see whether one came twice. */
const REMEMBERED_RUNS = 5_000

/** Functions that the long-lived programs offer. */
export function workerFunctions(): FunctionDefinition[] {
  const runs = new Map<string, number>()
  return [
    fn('soak.upper', { idempotent: true, maxConcurrent: 1_000, run: upper }),
    fn('soak.once', {
      maxConcurrent: 1_000,
      run(key: unknown) {
        const count = (runs.get(String(key)) ?? 0) + 1
        runs.set(String(key), count)
        const [oldest = ''] = runs.keys()
        if (runs.size > REMEMBERED_RUNS) runs.delete(oldest)
        return count
      },
    }),
    fn('soak.echo', { idempotent: true, maxConcurrent: 1_000, run: (value: unknown) => value }),
    fn('soak.count', {
      stream: true,
      maxConcurrent: 1_000,
      async *run(to: unknown) {
        for (let n = 0; n < Number(to); n += 1) {
          yield n
          await wait(1)
        }
        return to
      },
    }),
    fn('soak.sum', {
      clientStream: true,
      maxConcurrent: 1_000,
      async run(_none: unknown, { input }: CallContext) {
        let sum = 0
        for await (const n of input) sum += Number(n)
        return sum
      },
    }),
    fn('soak.fail', {
      maxConcurrent: 1_000,
      run(text: unknown) {
        throw new RangeError(String(text))
      },
    }),
    fn('soak.wait', {
      maxConcurrent: 1_000,
      run: async (ms: unknown, { signal }: CallContext) => wait(Number(ms), 'waited', { signal }),
    }),
    moving(),
  ]
}

/** Functions of programs that come with a daemon of their own. `soak.moving` the workers offer too. */
export function visitorFunctions(): FunctionDefinition[] {
  return [moving(), ...guestFunctions()]
}

/** Functions of programs that come to the daemon of a worker: none that is offered there. */
export function guestFunctions(): FunctionDefinition[] {
  return [fn('soak.visiting', { idempotent: true, maxConcurrent: 1_000, run: upper })]
}

function moving(): FunctionDefinition {
  return fn('soak.moving', {
    idempotent: true,
    maxConcurrent: 1_000,
    async run(text: unknown) {
      await wait(20)
      return upper(text)
    },
  })
}

function upper(text: unknown): string {
  return String(text).toUpperCase()
}
