import fc from 'fast-check'
import { type ApiDocument, resolve, type Schema } from '../../../../scripts/api-docs/document.ts'

const unicode = (maxLength: number) => fc.string({ unit: 'binary', maxLength })

/** Any JSON value, with the objects among them that stand for bytes. */
const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 64 }).map((text) => ({ $bytes: text })) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }).map((inner) => ({ $esc: { $bytes: inner } })) },
)

/** Values that a schema allows. @throws for what no schema of ours uses so far */
export function validValues(document: ApiDocument, given: Schema): fc.Arbitrary<unknown> {
  const schema = resolve(document, given)
  const made = byType(document, schema)
  return schema.example === undefined
    ? made
    : fc.oneof(made, { weight: 2, arbitrary: fc.constant(schema.example) })
}

function byType(document: ApiDocument, schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case undefined:
      return anyJson
    case 'boolean':
      return fc.boolean()
    case 'string':
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern))
      return texts(schema.minLength ?? 0, schema.maxLength ?? 1_000)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 })
    case 'number':
      return fc.double({
        noNaN: true,
        noDefaultInfinity: true,
        ...(schema.minimum === undefined ? {} : { min: schema.minimum }),
      })
    case 'array':
      return fc.array(validValues(document, schema.items ?? {}), {
        maxLength: Math.min(schema.maxItems ?? 8, 8),
      })
    case 'object':
      return objects(document, schema)
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`)
  }
}

/** Short ones, and some as long as they may be. */
function texts(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const longest = Math.min(maxLength, 1_000)
  return fc.oneof(
    {
      weight: 8,
      arbitrary: unicode(12).filter((text) => text.length >= minLength && text.length <= maxLength),
    },
    { weight: 3, arbitrary: fc.string({ minLength: longest, maxLength: longest }) },
  )
}

function objects(document: ApiDocument, schema: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema
  if (Object.keys(properties).length === 0 && typeof additionalProperties === 'object') {
    return fc.dictionary(unicode(8), validValues(document, additionalProperties), { maxKeys: 4 })
  }
  const parts = Object.entries(properties).map(([key, part]) => [key, validValues(document, part)] as const)
  return fc.record(Object.fromEntries(parts), { requiredKeys: required })
}
