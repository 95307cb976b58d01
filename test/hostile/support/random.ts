import { onTestFailed } from 'vitest'

/** Numbers that a seed decides (mulberry32). */
export interface Random {
  /** 0 to `below` - 1. */
  int(below: number): number
  bytes(length: number): Buffer
  pick<T>(items: readonly T[]): T
}

/** The seed is printed when the test fails; set HOSTILE_SEED to run it again. */
export function seededRandom(): Random {
  const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 2 ** 31)
  onTestFailed(() => void process.stderr.write(`HOSTILE_SEED=${seed}\n`))
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const int = (below: number): number => next() % below
  return {
    int,
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
    pick: (items) => items[int(items.length)] as (typeof items)[number],
  }
}

/** One to four changes of kinds that parsers stumble over. */
export function mutate(random: Random, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original)
  for (let changes = 1 + random.int(4); changes > 0; changes -= 1) {
    const at = random.int(bytes.length + 1)
    switch (random.int(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.int(256)
        break
      case 1:
        bytes = bytes.subarray(0, at)
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.int(16)), bytes.subarray(at)])
        break
      case 3:
        bytes = Buffer.concat([bytes, bytes.subarray(at)])
        break
      case 4:
        // The frame's length.
        if (bytes.length >= 4)
          bytes.writeUInt32BE(random.pick([0, 4, 5, 6, 0x100000, 0x7fffffff, 0xffffffff]))
        break
      case 5:
        // The frame's type.
        if (bytes.length > 4) bytes[4] = random.int(20)
        break
      default:
        // Heads of CBOR items with huge or reserved lengths.
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([
            random.pick([0x5b, 0x7b, 0x9b, 0xbb, 0x9f, 0xbf, 0xfb, 0xdb, 0x1c]),
            255,
            255,
            255,
            255,
          ]),
          bytes.subarray(at),
        ])
    }
  }
  return bytes
}
