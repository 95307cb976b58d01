import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configJsonSchema } from '../../../src/config/schema.ts'

const shipped = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../config', name), 'utf8'))

test('config/schema.json is up to date (node scripts/generate-config-schema.ts)', () => {
  expect(shipped('schema.json')).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
})

test('config/bootstrap.json has the form that is read', () => {
  expect(shipped('bootstrap.json')).toEqual({ bootstrap: expect.any(Array) })
})
