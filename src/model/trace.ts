// W3C trace context (https://www.w3.org/TR/trace-context/): one name for everything that a call sets off.

const VERSION_0 = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const NEWER_VERSION = /^[0-9a-f]{2}-([0-9a-f]{32}-[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_PARENT = '0'.repeat(16)
/** Sampled, and made of chance: the flags that have a meaning. */
const KNOWN_FLAGS = 0x03
/** A daemon notes the steps of every call, so what it starts is sampled. */
const SAMPLED = '01'
const MAX_LENGTH = 512

/** A valid `traceparent`, in the form of version 00; undefined for anything else. */
export function parseTraceparent(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined
  const known = VERSION_0.test(text) ? text : fromNewer(text)
  if (known === undefined) return undefined
  const isVoid = known.slice(3, 35) === NO_TRACE || known.slice(36, 52) === NO_PARENT
  return isVoid ? undefined : known
}

/** What a newer version says in the places that version 00 has, as the specification asks. */
function fromNewer(text: string): string | undefined {
  const match = NEWER_VERSION.exec(text)
  if (match === null || text.startsWith('00') || text.startsWith('ff')) return undefined
  const flags = Number.parseInt(match[2] ?? '', 16) & KNOWN_FLAGS
  return `00-${match[1]}-${flags.toString(16).padStart(2, '0')}`
}

/**
 * The `traceparent` of a call that came without one: both devices make it of the call's id, so it need not
 * travel, and who has the id can look up the trace.
 *
 * @param id - a UUID
 */
export function traceparentOf(id: string): string {
  const digits = id.replaceAll('-', '')
  return `00-${digits}-${digits.slice(16)}-${SAMPLED}`
}
