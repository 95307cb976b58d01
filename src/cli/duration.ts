import { EasyNetError } from '../errors/error.ts'

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of `500ms`, `10s`, `1.5m`, `2h`; a number alone means seconds.
 *
 * @throws {@link EasyNetError} `invalid_request`
 */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim()) ?? []
  const ms = Math.round(Number(number) * (UNIT_MS[unit] ?? NaN))
  if (ms > 0) return ms
  throw new EasyNetError('invalid_request', `"${text.slice(0, 40)}" is not a duration.`, {
    hint: 'Write 500ms, 10s, 2m or 1h.',
  })
}

/** A duration for people: `340 ms`, `2.5 s`, `3 m 20 s`, `5 h 1 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const
  const first = units.findIndex(([, size]) => ms >= size)
  let rest = ms
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count} ${unit}`
  })
  return parts.filter((part) => part !== '').join(' ')
}
