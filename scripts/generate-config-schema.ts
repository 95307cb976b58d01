import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { configJsonSchema } from '../src/config/schema.ts'

// Writes config/schema.json: `node scripts/generate-config-schema.ts` after a change of src/config/schema.ts.
const text = await format(JSON.stringify(configJsonSchema()), { parser: 'json', printWidth: 110 })
writeFileSync(join(import.meta.dirname, '../config/schema.json'), text)
