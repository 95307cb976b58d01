import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { writePrivateFile } from '../util/private-files.ts'
import type { Home } from '../util/home.ts'

/** Content of `run/daemon.json`: how programs of this user find the daemon. Part of the public interface. */
export interface DaemonFile {
  /** Base of the control API. */
  url: string
  /** Its Unix socket, when there is one. */
  socket?: string
  /** HOST:PORT of the gateway, when there is one: the same API on a port that programs are told. */
  gateway?: string
  pid: number
  version: string
  peerId: string
  /** Multiaddrs for other devices. */
  addresses: string[]
}

/** Says that the daemon serves; disposing takes it back. */
export function publishDaemonFile(home: Home, content: DaemonFile): Disposable {
  writePrivateFile(home.daemonFile, `${JSON.stringify(content, null, 2)}\n`)
  return { [Symbol.dispose]: () => removeRunFiles(home) }
}

/** What a daemon has published; undefined when nothing is there or it is not readable. */
export function readDaemonFile(file: string): Pick<DaemonFile, 'url' | 'pid'> | undefined {
  try {
    const { url, pid } = JSON.parse(readFileSync(file, 'utf8')) as Partial<DaemonFile>
    return typeof url === 'string' && typeof pid === 'number' ? { url, pid } : undefined
  } catch {
    return undefined
  }
}

/** A new secret for the programs of this user, at every start: 32 random bytes in hex. */
export function writeToken(home: Home): string {
  const token = randomBytes(32).toString('hex')
  writePrivateFile(home.tokenFile, token)
  return token
}

/** Only for the holder of the home's lock: then whatever lies there belongs to a daemon that is gone. */
export function removeRunFiles(home: Home): void {
  for (const file of [home.daemonFile, home.tokenFile, home.socketFile]) rmSync(file, { force: true })
}
