import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `support/provider.ts` as a process, attached to the daemon of `home`. */
export interface ProviderProgram extends AsyncDisposable {
  child: ChildProcess
  pid: number
  /** Lines that its functions wrote to disk: what really happened. */
  effects(): string[]
  kill(): Promise<void>
}

export async function startProviderProgram(home: string): Promise<ProviderProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'easynet-effects-'))
  const script = join(import.meta.dirname, 'provider.ts')
  const child = spawn(process.execPath, [script, home, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const ended = once(child, 'close')
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => {
      throw new Error(`the provider program ended: ${errors}`)
    }),
  ])
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    child,
    pid: child.pid as number,
    effects() {
      try {
        return readFileSync(join(folder, 'effects'), 'utf8').split('\n').filter(Boolean)
      } catch {
        return []
      }
    },
    kill,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
