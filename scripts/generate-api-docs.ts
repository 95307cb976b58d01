import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiDocument } from './api-docs/document.ts'
import { renderApiDocs } from './api-docs/render.ts'

// Writes docs/api.md: `npm run docs:api` after a change of src/api/routes, src/api/*schemas.ts or the intro.
const intro = readFileSync(join(import.meta.dirname, 'api-docs/intro.md'), 'utf8')
writeFileSync(join(import.meta.dirname, '../docs/api.md'), renderApiDocs(await apiDocument(), intro))
