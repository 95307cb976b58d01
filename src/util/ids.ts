import { randomUUID } from 'node:crypto'

/**
 * A UUID of version 7 (RFC 9562): the time, then 74 random bits. Rows with such keys are appended to an
 * index. With random ones each row changes another page of it, and a commit writes as many pages as rows.
 */
export function timeOrderedId(now: number): string {
  const time = now.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${randomUUID().slice(15)}`
}
