// An honest caller, as a process of its own: `node honest-program.ts <home>`. It calls all the time, and
// tells how that went whenever it reads a line.
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from '../../../src/sdk/index.ts'

const mesh = await connect({ home: process.argv[2] as string })
let times: number[] = []
let failures: string[] = []

createInterface(process.stdin).on('line', () => {
  process.stdout.write(`${JSON.stringify({ times, failures })}\n`)
  times = []
  failures = []
})
while (true) {
  const startedAt = performance.now()
  try {
    const answer = await mesh.call('text.upper', ['honest'], { timeoutMs: 10_000 })
    if (answer !== 'HONEST') failures.push(`wrong answer: ${JSON.stringify(answer)}`)
  } catch (error) {
    failures.push(String(error))
  }
  times.push(performance.now() - startedAt)
  await wait(10)
}
