import { readFileSync } from 'node:fs'

/** The parts of `package.json` that describe this installation. */
export function ownPackage(): { version: string; engines: { node: string } } {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return JSON.parse(text) as { version: string; engines: { node: string } }
}
