import { randomFillSync } from 'node:crypto'

/** Random bytes of one id. */
const ID_BYTES = 10
/** Asking for randomness costs more than a call's id. */
const POOL_BYTES = 512 * ID_BYTES

/**
 * A source of UUIDs of version 7 (RFC 9562): the time, then 74 random bits. Rows with such keys are appended
 * to an index. With random ones each row changes another page of it, and a commit writes as many pages as rows.
 *
 * @returns a function that makes one, given the epoch ms
 */
export function createTimeOrderedIds(): (now: number) => string {
  const pool = Buffer.alloc(POOL_BYTES)
  let used = POOL_BYTES
  let lastTime = -1
  let time = ''
  return (now) => {
    if (used === POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    if (now !== lastTime) {
      lastTime = now
      const digits = now.toString(16).padStart(12, '0')
      time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
    }
    const at = used
    used += ID_BYTES
    // Variant 10 of RFC 9562.
    pool[at + 2] = 0x80 | ((pool[at + 2] as number) & 0x3f)
    const random = pool.toString('hex', at, used)
    return `${time}${random.slice(1, 4)}-${random.slice(4, 8)}-${random.slice(8)}`
  }
}
