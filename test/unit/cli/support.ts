import { Readable, Writable } from 'node:stream'
import { run } from '../../../src/cli/run.ts'

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** A stream that keeps what is written to it. */
export function recorder(isTTY = false): Writable & { isTTY: boolean; columns: number; text(): string } {
  const parts: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk)
      done()
    },
  })
  return Object.assign(stream, { isTTY, columns: 80, text: () => Buffer.concat(parts).toString() })
}

/** Runs the CLI in this process, on streams of its own. */
export async function easynet(argv: string[], env: NodeJS.ProcessEnv = {}, isTTY = false): Promise<Ran> {
  const stdout = recorder(isTTY)
  const stderr = recorder(isTTY)
  const signal = new AbortController().signal
  const code = await run(argv, { stdin: Readable.from([]), stdout, stderr, env, signal })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
