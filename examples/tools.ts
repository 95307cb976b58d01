// Serve it:   easynet serve examples/tools.ts
// Call it:    easynet call text.upper hello
//             easynet call countdown 3 --stream
//             easynet call text.count text='one two'
import { setTimeout as sleep } from 'node:timers/promises'
import { fn } from 'easynet'
import { z } from 'zod'

/** An exported function is offered under its export name, here `greet`. */
export function greet(name: string): string {
  return `Hello ${name}!`
}

/** A generator streams: each item reaches the caller as soon as it is there. */
export async function* countdown(from: string): AsyncGenerator<number, string> {
  for (let n = Number(from); n > 0; n--) {
    yield n
    await sleep(100)
  }
  return 'lift-off'
}

export const upper = fn('text.upper', {
  description: 'A text in capital letters.',
  idempotent: true,
  run: (text: string) => text.toUpperCase(),
})

/** With a schema the arguments are checked, and callers see what is expected. */
export const count = fn('text.count', {
  description: 'Counts the words and letters of a text.',
  input: z.object({ text: z.string() }),
  output: z.object({ words: z.number(), letters: z.number() }),
  idempotent: true,
  run: ({ text }) => ({ words: text.split(/\s+/).filter(Boolean).length, letters: text.length }),
})
