import type { JsonSchema, SchemaIssue, StandardSchema } from './function-types.ts'

const MAX_ISSUES = 20
const MAX_ISSUE_TEXT = 200

/** An issue as it is sent to the caller. */
export interface ReportedIssue {
  path: string
  message: string
  /** Both in one line. */
  text: string
}

/** True for schemas of https://standardschema.dev; some of them are functions. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  return (
    (typeof schema === 'object' || typeof schema === 'function') && schema !== null && '~standard' in schema
  )
}

/** What others are shown of a schema; undefined when it cannot be written as JSON Schema. */
export function jsonSchemaOf(
  schema: StandardSchema | JsonSchema | undefined,
  side: 'input' | 'output',
): JsonSchema | undefined {
  if (!isStandardSchema(schema)) return schema
  try {
    return schema['~standard'].jsonSchema?.[side]({ target: 'draft-2020-12' })
  } catch {
    // Such as a zod schema with a transform or a class: it still checks, callers just see no schema.
    return undefined
  }
}

/** The value as the schema returns it, or the issues in a form that can be sent. */
export async function validate(
  schema: StandardSchema,
  value: unknown,
): Promise<{ value: unknown; issues?: undefined } | { issues: ReportedIssue[] }> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return { value: result.value }
  return { issues: result.issues.slice(0, MAX_ISSUES).map(report) }
}

function report(issue: SchemaIssue): ReportedIssue {
  const keys = issue.path?.map((part) => String(typeof part === 'object' ? part.key : part)) ?? []
  const path = keys.join('.')
  const message = issue.message.slice(0, MAX_ISSUE_TEXT)
  return { path, message, text: path === '' ? message : `${path}: ${message}` }
}
