import { EasyNetError } from '../errors/error.ts'

// Which functions somebody may call: a name, the beginning of one followed by `*`, or `*` alone. With the
// star only at the end, whether one pattern allows no more than another can be decided exactly.

/** A pattern as it stands in certificates. At most 128 characters. */
export const FUNCTION_PATTERN = /^(?:\*|[\p{L}_][\p{L}\p{N}_.:-]{0,126}(?:\*|[\p{L}\p{N}_.:-])?)$/u

/** True when a function of this name is meant by `pattern`. */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** True when every name that `inner` means is meant by `outer` too. */
export function coversPattern(outer: string, inner: string): boolean {
  if (!outer.endsWith('*')) return outer === inner
  return inner.replace(/\*$/, '').startsWith(outer.slice(0, -1))
}

/**
 * A pattern as people write it: a slash is read as a dot, since names have none (`llm/*` is `llm.*`).
 *
 * @throws {@link EasyNetError} `invalid_request`
 */
export function parsePattern(text: string): string {
  const pattern = text.replaceAll('/', '.')
  if (FUNCTION_PATTERN.test(pattern)) return pattern
  throw new EasyNetError('invalid_request', `"${text.slice(0, 128)}" is no function pattern.`, {
    hint: "Write a name, a beginning with a star, or a star: --can text.upper --can 'llm.*' --can '*'",
  })
}
