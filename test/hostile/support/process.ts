import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One of our programs as a process; killed at disposal. */
export interface Program extends AsyncDisposable {
  child: ChildProcess
  /** Lines that it has written so far. */
  lines: string[]
  /** Writes a line and resolves with the next one that comes. */
  ask(line: string): Promise<string>
}

/** @param file - in this folder */
export function startProgram(file: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting: PromiseWithResolvers<string>[] = []
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    waiting.shift()?.resolve(line)
  })
  child.once('exit', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${file} has ended`))
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  return {
    child,
    lines,
    async ask(line) {
      const answer = Promise.withResolvers<string>()
      waiting.push(answer)
      child.stdin.write(`${line}\n`)
      return answer.promise
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', killWithUs)
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
