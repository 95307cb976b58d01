import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { decodeCbor, encodeCbor } from '../util/cbor.ts'
import { BAD_KEY } from './fields.ts'
import { type Checked, checked, type Refusal, refused } from './refusals.ts'
import { signWithDomain, verifySignature } from './signing.ts'

// A sealed object is the CBOR list `[payload, signature, …]`. What was signed is looked at as it came and
// never encoded anew, but has to be what we would have encoded: one object, one representation.

/** What kind of object it is. */
export interface Kind<T> {
  /** Signing domain, such as `easynet/member/1`. */
  domain: string
  maxBytes: number
  schema: z.ZodType<T>
}

export interface Sealed<T> {
  content: T
  /** SHA-256 over domain and payload: the same whoever signs. */
  id: Uint8Array
  /** The whole object. */
  bytes: Uint8Array
  payload: Uint8Array
  signatures: readonly Uint8Array[]
}

export interface Signer {
  sign(bytes: Uint8Array): Uint8Array
}

/** Signs `content` with each of the keys. */
export function seal<T>(kind: Kind<T>, content: T, ...signers: readonly Signer[]): Uint8Array {
  const payload = encodeCbor(content)
  const signatures = signers.map((signer) => signWithDomain(signer, kind.domain, payload))
  return Uint8Array.from(encodeCbor([payload, ...signatures]))
}

/** Size, form and representation; the signatures are checked by {@link isSignedBy}. */
export function readSealed<T>(kind: Kind<T>, bytes: Uint8Array, signatures = 1): Checked<Sealed<T>> {
  if (bytes.length > kind.maxBytes) return refused('too_large')
  const outer = readCanonical(bytes)
  if (!outer.ok) return outer
  const [payload, ...rest] = Array.isArray(outer.value) ? (outer.value as unknown[]) : []
  const given = rest.filter((part) => part instanceof Uint8Array && part.length === 64) as Uint8Array[]
  if (!(payload instanceof Uint8Array) || rest.length !== signatures || given.length !== signatures) {
    return refused('malformed')
  }
  const content = readContent(kind.schema, payload)
  if (!content.ok) return content
  return checked({
    content: content.value,
    id: hashWithDomain(kind.domain, payload),
    bytes,
    payload,
    signatures: given,
  })
}

/** A map of the given form in its one representation. */
export function readContent<T>(schema: z.ZodType<T>, bytes: Uint8Array): Checked<T> {
  const decoded = readCanonical(bytes)
  if (!decoded.ok) return decoded
  const parsed = schema.safeParse(decoded.value)
  return parsed.success ? checked(parsed.data) : refused(reasonOf(parsed.error))
}

/** True when signature number `index` was made with `key`. */
export function isSignedBy<T>(kind: Kind<T>, sealed: Sealed<T>, key: Uint8Array, index = 0): boolean {
  const signature = sealed.signatures[index]
  return signature !== undefined && verifySignature(key, kind.domain, sealed.payload, signature)
}

/** `SHA-256(domain || 0x00 || bytes)` */
export function hashWithDomain(domain: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`${domain}\0`).update(bytes).digest())
}

function readCanonical(bytes: Uint8Array): Checked<unknown> {
  let decoded: unknown
  try {
    decoded = decodeCbor(bytes)
  } catch {
    // The reason is all that a stranger is told, and all that we note of it.
    return refused('malformed')
  }
  return Buffer.compare(encodeCbor(decoded), bytes) === 0 ? checked(decoded) : refused('not_canonical')
}

function reasonOf({ issues }: z.ZodError): Refusal {
  if (issues.some((issue) => issue.code === 'unrecognized_keys')) return 'unknown_field'
  return issues.some((issue) => issue.message === BAD_KEY) ? 'bad_key' : 'malformed'
}
