import { fromFramedJson, toFramedJson } from '../../model/json.ts'

// Only these members of a message hold users' values, in which bytes and markers are replaced; the rest
// (schemas, error details, names) is JSON as it stands. See docs/spec/attach.md, Framing.
const VALUE_MEMBERS = ['args', 'kwargs', 'value', 'result'] as const

/** `content` with its values in the form of the connection, and the bytes that go beside it. */
export function encodeMembers(content: object): { json: object; blobs: readonly Uint8Array[] } {
  const values = membersOf(content)
  if (values === undefined) return { json: content, blobs: [] }
  const { json, blobs } = toFramedJson(values)
  return { json: { ...content, ...(json as object) }, blobs }
}

/** The inverse of {@link encodeMembers}. @throws `invalid_value` */
export function decodeMembers(content: object, blobs: readonly Uint8Array[]): Record<string, unknown> {
  const values = membersOf(content)
  if (values === undefined) return content as Record<string, unknown>
  return { ...content, ...(fromFramedJson(values, blobs) as object) }
}

function membersOf(content: object): Record<string, unknown> | undefined {
  let found: Record<string, unknown> | undefined
  for (const name of VALUE_MEMBERS) {
    if (!Object.hasOwn(content, name)) continue
    found ??= {}
    found[name] = (content as Record<string, unknown>)[name]
  }
  return found
}
