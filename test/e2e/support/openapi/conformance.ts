import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { ApiDocument, MediaType, Operation, Schema } from '../../../../scripts/api-docs/document.ts'
import type { Answer } from './exchange.ts'
import type { GeneratedRequest } from './generated-request.ts'

/** Judges requests and answers by the document alone. */
export interface Conformance {
  /** What is wrong with an answer; empty when it is as documented. */
  problemsOf(operation: Operation, method: string, answer: Answer): string[]
  /** Where a value differs from a schema of the document. */
  failures(schema: Schema, value: unknown): string[]
  /** True or false when the document decides whether a request is valid, else undefined. */
  isValid(operation: Operation, request: GeneratedRequest): boolean | undefined
}

export function createConformance(document: ApiDocument): Conformance {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  ajv.addVocabulary(['example'])
  ajv.addSchema({
    $id: 'api',
    $defs: mapValues(document.components.schemas, (one) => close(one, true)),
  })
  const compiled = new Map<Schema, ValidateFunction>()
  const validatorOf = (schema: Schema): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(close(schema, false))
    compiled.set(schema, known)
    return known
  }
  const failures = (schema: Schema, value: unknown, where = ''): string[] => {
    const validate = validatorOf(schema)
    if (validate(value)) return []
    return (validate.errors ?? []).map(
      (error) => `${where}${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
    )
  }

  const problemsOfEvents = (
    text: string,
    ended: boolean,
    { 'x-events': events = {} }: MediaType,
  ): string[] => {
    const blocks = text.split('\n\n')
    const rest = blocks.pop() ?? ''
    return [
      ...(ended && rest !== '' ? [`the stream ends inside an event: ${rest.slice(0, 200)}`] : []),
      ...blocks
        .filter((block) => !block.startsWith(':'))
        .flatMap((block) => {
          const [, type = '', data = ''] = /(?:^|\n)event: (.*)\ndata: (.*)$/.exec(block) ?? []
          const schema = events[type]
          if (schema === undefined) return [`event "${type}" is not documented`]
          return failures(schema, JSON.parse(data), `event ${type}: `)
        }),
    ]
  }

  return {
    failures,
    problemsOf(operation, method, { status, headers, body, ended }) {
      const documented = operation.responses[status]
      if (documented === undefined) return [`status ${status} is not documented`]
      const missing = Object.entries(documented.headers ?? {})
        .filter(([name, { required }]) => required === true && headers[name.toLowerCase()] === undefined)
        .map(([name]) => name)
      const problems = missing.map((name) => `header ${name} is missing`)
      if (method === 'HEAD' || documented.content === undefined) {
        return body.length === 0 ? problems : [...problems, `${status} has a body`]
      }
      const type = headers['content-type']?.split(';', 1)[0] ?? 'none'
      const content = documented.content[type]
      if (content === undefined) return [...problems, `type ${type} of ${status} is not documented`]
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
      if (type === 'text/event-stream') return [...problems, ...problemsOfEvents(text, ended, content)]
      const value: unknown = type === 'application/json' ? JSON.parse(text) : text
      return [...problems, ...failures(content.schema, value, `${status} `)]
    },
    isValid(operation, { parameters, headers, body }) {
      const documented = operation.requestBody?.content['application/json']
      const verdicts = [
        ...(documented === undefined
          ? []
          : [isJsonType(headers), isValidBody(body, (value) => validatorOf(documented.schema)(value))]),
        parameters === undefined
          ? undefined
          : parameters.every(({ in: place, name, value }) => {
              const parameter = operation.parameters?.find((one) => one.in === place && one.name === name)
              return parameter === undefined || validatorOf(parameter.schema)(value)
            }),
      ]
      if (verdicts.includes(false)) return false
      return verdicts.includes(undefined) ? undefined : true
    },
  }
}

/** Undefined for types that a server may read as JSON or not. */
function isJsonType(headers: GeneratedRequest['headers']): boolean | undefined {
  const types = headers.filter(([name]) => /^content-type$/i.test(name)).map(([, value]) => value)
  if (types.length === 1 && types[0] === 'application/json') return true
  return types.some((type) => /^application\/json/i.test(type)) ? undefined : false
}

function isValidBody(body: Buffer | undefined, validate: (value: unknown) => boolean): boolean | undefined {
  if (body?.subarray(0, 3).toString('hex') === 'efbbbf') return undefined
  try {
    return validate(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)))
  } catch {
    // No UTF-8, or no JSON.
    return false
  }
}

/**
 * The same schema with every object closed: what the document does not mention must not come. Branches of
 * `allOf` are closed together, and components where they are used.
 */
function close(schema: Schema, isPart: boolean): Schema {
  const closed = {
    ...schema,
    ...(schema.$ref === undefined
      ? {}
      : { $ref: schema.$ref.replace('#/components/schemas/', 'api#/$defs/') }),
    ...(schema.properties === undefined
      ? {}
      : { properties: mapValues(schema.properties, (one) => close(one, false)) }),
    ...(schema.items === undefined ? {} : { items: close(schema.items, false) }),
    ...(typeof schema.additionalProperties === 'object'
      ? { additionalProperties: close(schema.additionalProperties, false) }
      : {}),
    ...mapValues(
      Object.fromEntries(
        (['allOf', 'anyOf', 'oneOf'] as const).flatMap((key) =>
          schema[key] === undefined ? [] : [[key, schema[key]]],
        ),
      ) as Record<string, Schema[]>,
      (branches) => branches.map((one) => close(one, true)),
    ),
  }
  const isObject = schema.$ref !== undefined || schema.properties !== undefined || schema.allOf !== undefined
  return isObject && !isPart ? ({ ...closed, unevaluatedProperties: false } as Schema) : closed
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
