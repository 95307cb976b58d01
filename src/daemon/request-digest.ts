import { createHash } from 'node:crypto'
import type { CallRequest } from '../model/call.ts'
import { detachBlobs } from '../model/value.ts'
import { encodeCbor } from '../util/cbor.ts'

/** The same for the same function and arguments, whatever the order of named ones. */
export function digestOfRequest({ fn, args, kwargs }: CallRequest): string {
  const { skeleton } = detachBlobs([fn, args, kwargs], Infinity)
  return createHash('sha256').update(encodeCbor(skeleton)).digest('base64url')
}
