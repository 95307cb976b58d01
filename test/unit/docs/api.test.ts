import { Validator } from '@seriousme/openapi-schema-validator'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apiDocument, exampleOf, operationsOf } from '../../../scripts/api-docs/document.ts'
import { renderApiDocs } from '../../../scripts/api-docs/render.ts'
import { createConformance } from '../../e2e/support/openapi/conformance.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const document = await apiDocument()
const conformance = createConformance(document)
const operations = operationsOf(document).map((one) => [`${one.method} ${one.path}`, one] as const)

test('docs/api.md is up to date (npm run docs:api)', () => {
  expect(read('docs/api.md')).toBe(renderApiDocs(document, read('scripts/api-docs/intro.md')))
})

test('the links of docs/api.md lead somewhere', () => {
  const text = read('docs/api.md')
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target)
  expect(targets.length).toBeGreaterThan(50)
  const isThere = (target: string): boolean =>
    target.startsWith('#')
      ? headings.includes(target.slice(1))
      : existsSync(join(root, dirname('docs/api.md'), target.replace(/#.*/, '')))
  expect(targets.filter((target) => !isThere(target))).toEqual([])
})

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.stringify(document, null, 1))
  expect([valid, errors]).toEqual([true, undefined])
  expect(document.openapi).toMatch(/^3\.1\./)
})

test('operation ids, and the headings made of summaries, are unique', () => {
  for (const key of ['operationId', 'summary'] as const) {
    const all = operations.map(([, { operation }]) => operation[key])
    expect(all.filter((one, index) => all.indexOf(one) !== index)).toEqual([])
  }
})

describe.each(operations)('%s', (_, { method, path, operation }) => {
  test('says what it is for, in words and by a command', () => {
    expect(operation.operationId).toMatch(/^[a-z]+([A-Z][a-z]+)*$/)
    expect(operation.summary).toMatch(/^[A-Z].{8,70}[^.]$/)
    expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0])
    expect(operation['x-codeSamples']?.[0]?.source).toContain(path.replaceAll(/\/\{.*/g, ''))
  })

  test('describes its parameters, with examples that they allow', () => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const parameters = operation.parameters ?? []
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath)
    for (const { name, description, schema, required } of parameters) {
      expect(description, name).toMatch(/\.$/)
      if (required) expect(schema.example, name).toBeDefined()
      if (schema.example !== undefined) expect(conformance.failures(schema, schema.example), name).toEqual([])
    }
  })

  test('has examples of its body and its answer that fit their schemas', () => {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)].map(
      (part) => part?.content?.['application/json']?.schema,
    )
    // The document does not describe itself.
    for (const schema of operation.operationId === 'describe' ? [] : bodies) {
      if (schema === undefined) continue
      const example = exampleOf(document, schema)
      expect(example).toBeDefined()
      expect(conformance.failures(schema, example)).toEqual([])
    }
  })

  test('documents the refusals of the guard, and what its method adds', () => {
    const statuses = Object.keys(operation.responses).map(Number)
    const guard = operation.security === undefined ? [401, 403, 421] : [403, 421]
    expect(statuses).toEqual(expect.arrayContaining([400, 408, 413, 431, 500, ...guard]))
    if (['POST', 'PUT', 'PATCH'].includes(method)) expect(statuses).toContain(415)
    if (path.includes('{')) expect(statuses).toContain(404)
  })
})
