import { createApp } from '../../src/api/app.ts'
import type { NodeApi } from '../../src/api/node-api.ts'
import { silentLogger } from '../../src/api/ports.ts'

// The parts of an OpenAPI document that the control API uses.

export interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
  maxItems?: number
  default?: unknown
  example?: unknown
}

export interface MediaType {
  schema: Schema
  'x-events'?: Record<string, Schema>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema: Schema
}

export interface DocumentedResponse {
  description: string
  headers?: Record<string, { description?: string; required?: boolean; schema: Schema }>
  content?: Record<string, MediaType>
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: object[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, MediaType> }
  responses: Record<string, DocumentedResponse>
  'x-codeSamples'?: { lang: string; source: string }[]
}

export interface ApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** What `GET /v1/openapi.json` of a daemon answers. */
export async function apiDocument(): Promise<ApiDocument> {
  // Only the description is asked for: the node behind the routes is not touched.
  const app = createApp(
    {
      node: {} as NodeApi,
      closing: new AbortController().signal,
      metrics: { contentType: 'text/plain', text: async () => '' },
    },
    silentLogger,
  )
  const response = await app.request('/v1/openapi.json')
  return (await response.json()) as ApiDocument
}

/** Every operation with its method (upper case) and path. */
export function operationsOf(
  document: ApiDocument,
): { method: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}

/** The name of the component that a schema refers to; an optional one is an `allOf` with a description beside it. */
export function componentName(schema: Schema): string | undefined {
  const [first, ...others] = schema.allOf ?? [schema]
  const isExtended = others.some(({ properties }) => properties !== undefined)
  return isExtended ? undefined : first?.$ref?.replace('#/components/schemas/', '')
}

/** A schema with its reference followed. */
export function resolve(document: ApiDocument, schema: Schema): Schema {
  const name = componentName(schema)
  if (name === undefined) return schema
  const found = document.components.schemas[name]
  if (found === undefined) throw new Error(`there is no component ${name}`)
  return found
}

/** An example of a schema, made of the examples of its parts; undefined where a part has none. */
export function exampleOf(document: ApiDocument, given: Schema): unknown {
  const schema = resolve(document, given)
  if (schema.example !== undefined) return schema.example
  if (schema.const !== undefined) return schema.const
  if (schema.enum?.length === 1) return schema.enum[0]
  if (schema.type === 'boolean') return true
  if (schema.type === 'array') {
    const item = exampleOf(document, schema.items ?? {})
    return item === undefined ? undefined : [item]
  }
  if (schema.properties === undefined) return undefined
  const entries = Object.entries(schema.properties).map(
    ([key, part]) => [key, exampleOf(document, part)] as const,
  )
  return entries.some(([, example]) => example === undefined) ? undefined : Object.fromEntries(entries)
}
