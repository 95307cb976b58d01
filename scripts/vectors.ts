import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allVectors } from './vectors/all.ts'

// Writes test/vectors/*.json. The same keys and times every time: a change of a file is a change of the
// format, and needs a new domain.
for (const [name, content] of Object.entries(allVectors())) {
  writeFileSync(
    join(import.meta.dirname, '../test/vectors', `${name}.json`),
    `${JSON.stringify(content, null, 2)}\n`,
  )
}
