// Plain JavaScript: `npm run lock` after changing dependencies.
// - Takes the registry's addresses out of package-lock.json (names, versions and integrity hashes
//   stay), so that any registry serves it.
// - Adds the optional binaries of other platforms that the registry at hand did not serve: npm leaves
//   such entries out and then refuses its own lockfile in `npm ci`.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    lock.packages[`node_modules/${name}`] ??= { version, dev: true, optional: true }
  }
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
