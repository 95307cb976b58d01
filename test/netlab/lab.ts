import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../integration/support/eventually.ts'

/** What a link does to frames, in both directions. Loss in percent. */
export interface LinkInit {
  delayMs?: number
  jitterMs?: number
  loss?: number
}

/** Hosts with networks of their own, all on one segment. Nothing leads out of it. */
export interface Lab extends AsyncDisposable {
  /** Words before a command that runs it on a host. */
  on(host: string): string[]
  addressOf(host: string): string
  /** From now on frames to and from the host vanish: nobody is told. */
  cut(host: string): void
  heal(host: string): void
  /** Changes what the host's link does. Only in a lab with `links`. */
  link(host: string, init: LinkInit): void
}

export interface LabInit {
  hosts: readonly string[]
  /** Every host has a link of its own that delays and loses frames (`wanlink.c`; needs gcc and /dev/net/tun). */
  links?: LinkInit
}

const SYSCTLS = [
  // With BBR, which some machines have as default, loss is hardly felt.
  'net.ipv4.tcp_congestion_control=reno',
  // As before Linux 6.5: lost attempts to connect are repeated after 1, 3 and 7 s, and not every second.
  'net.ipv4.tcp_syn_linear_timeouts=0',
]

/** Why no lab can be built here; undefined when one can. */
export function labProblem(): string | undefined {
  try {
    const name = `easynet-try-${process.pid}`
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `no network namespaces: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Builds a lab of network namespaces. Needs root and iproute2. */
export async function buildLab({ hosts, links }: LabInit): Promise<Lab> {
  const prefix = `easynet-${process.pid}-${Math.random().toString(36).slice(2, 6)}`
  const space = (host: string): string => `${prefix}-${host}`
  const ip = (...words: string[]): void => void execFileSync('ip', words, { stdio: 'pipe' })
  const inside = (host: string, ...words: string[]): void => ip('-n', space(host), ...words)
  const addressOf = (host: string): string => `10.99.0.${hosts.indexOf(host) + 1}`
  const folder = mkdtempSync(join(tmpdir(), 'easynet-lab-'))
  const all = ['core', ...hosts]
  const wan = new Map<string, ChildProcess>()
  const settings = new Map<string, LinkInit & { isDown?: boolean }>()

  const write = (host: string, change: LinkInit & { isDown?: boolean }): void => {
    const { delayMs = 0, jitterMs = 0, loss = 0, isDown = false } = { ...settings.get(host), ...change }
    settings.set(host, { delayMs, jitterMs, loss, isDown })
    const words = `delay=${delayMs} jitter=${jitterMs} loss=${loss} down=${Number(isDown)}`
    writeFileSync(join(folder, host), words)
    wan.get(host)?.kill('SIGHUP')
  }
  const removeSpaces = (): void => {
    for (const host of all) {
      try {
        ip('netns', 'del', space(host))
      } catch {
        // It was never made, or is gone.
      }
    }
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', removeSpaces)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => {
    process.off('exit', removeSpaces)
    removeSpaces()
  })
  undo.defer(async () => {
    for (const link of wan.values()) {
      const ended = once(link, 'exit')
      if (link.kill('SIGTERM')) await ended
    }
  })

  if (links !== undefined) {
    execFileSync('gcc', ['-O2', '-o', join(folder, 'wanlink'), join(import.meta.dirname, 'wanlink.c')])
  }
  for (const host of all) {
    ip('netns', 'add', space(host))
    inside(host, 'link', 'set', 'lo', 'up')
  }
  inside('core', 'link', 'add', 'segment', 'type', 'bridge')
  inside('core', 'link', 'set', 'segment', 'up')
  for (const host of hosts) {
    const port = `to-${host}`
    if (links === undefined) {
      ip(
        'link',
        'add',
        'eth0',
        'netns',
        space(host),
        'type',
        'veth',
        'peer',
        'name',
        port,
        'netns',
        space('core'),
      )
    } else {
      write(host, links)
      const ends = [space(host), 'eth0', space('core'), port]
      wan.set(host, spawn(join(folder, 'wanlink'), [...ends, join(folder, host)], { stdio: 'ignore' }))
    }
    await eventually(() => {
      inside('core', 'link', 'set', port, 'master', 'segment', 'up')
      inside(host, 'link', 'set', 'eth0', 'up')
      return true
    })
    inside(host, 'addr', 'add', `${addressOf(host)}/24`, 'dev', 'eth0')
    execFileSync('ip', ['netns', 'exec', space(host), 'sysctl', '-qw', ...SYSCTLS], { stdio: 'pipe' })
  }
  const parts = undo.move()
  return {
    on: (host) => ['ip', 'netns', 'exec', space(host)],
    addressOf,
    cut: (host) =>
      links === undefined
        ? inside('core', 'link', 'set', `to-${host}`, 'down')
        : write(host, { isDown: true }),
    heal: (host) =>
      links === undefined
        ? inside('core', 'link', 'set', `to-${host}`, 'up')
        : write(host, { isDown: false }),
    link: write,
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}
