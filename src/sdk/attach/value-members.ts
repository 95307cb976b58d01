import { fromFramedJson, toFramedJson } from '../../model/json.ts'

// Only these members of a message hold users' values, in which bytes and markers are replaced; the rest
// (schemas, error details, names) is JSON as it stands. See docs/spec/attach.md, Framing.
const VALUE_MEMBERS = ['args', 'kwargs', 'value', 'result'] as const

type Content = Record<string, unknown>

/**
 * `content` with its values in the form of the connection; itself when they need no change.
 *
 * @param blobs - gets the bytes, which go beside it
 * @throws `invalid_value`
 */
export function encodeMembers(content: object, blobs: Uint8Array[]): object {
  let encoded = content as Content
  for (const name of VALUE_MEMBERS) {
    if (!Object.hasOwn(content, name)) continue
    const json = toFramedJson(encoded[name], blobs)
    if (json === encoded[name]) continue
    if (encoded === content) encoded = { ...content }
    encoded[name] = json
  }
  return encoded
}

/** The inverse of {@link encodeMembers}; changes `content` in place. @throws `invalid_value` */
export function decodeMembers(content: object, blobs: readonly Uint8Array[]): Record<string, unknown> {
  const members = content as Content
  for (const name of VALUE_MEMBERS) {
    if (Object.hasOwn(content, name)) members[name] = fromFramedJson(members[name], blobs)
  }
  return members
}
