import type { Held } from './probe.ts'
import { lineThrough } from './slope.ts'

/** One look at one process. Sizes of databases and numbers of rows are those of a daemon. */
export type Sample = Record<Quantity, number>

export type Quantity =
  Exclude<keyof Held, 'listenersOf'> | 'descriptors' | 'databaseBytes' | 'calls' | 'executions'

interface Bar {
  unit: 'MB' | ''
  /** Growth per minute that fails the run; none for what is only printed. */
  perMinute?: number
  /**
   * `plain`: the slope counts as it is. `certain`: the part of it counts that the scatter of the samples
   * cannot explain: a number that is flat but for its noise has none.
   */
  reading?: 'plain' | 'certain'
}

/** What is watched, and how much it may grow. */
export const BARS: Record<Quantity, Bar> = {
  heapBytes: { unit: 'MB', perMinute: 0.5, reading: 'plain' },
  externalBytes: { unit: 'MB' },
  rssBytes: { unit: 'MB' },
  descriptors: { unit: '', perMinute: 1, reading: 'certain' },
  handles: { unit: '', perMinute: 1, reading: 'certain' },
  timers: { unit: '', perMinute: 1, reading: 'certain' },
  listeners: { unit: '', perMinute: 1, reading: 'certain' },
  signals: { unit: '', perMinute: 1, reading: 'certain' },
  databaseBytes: { unit: 'MB' },
  calls: { unit: '' },
  executions: { unit: '' },
}

export interface Growth {
  quantity: Quantity
  /** In bytes for sizes. */
  first: number
  last: number
  perMinute: number
  /** Standard error of `perMinute`. */
  error: number
  grows: boolean
}

/**
 * How each quantity grew.
 *
 * @param samples - with the minutes since the start
 */
export function growthOf(samples: readonly { minutes: number; sample: Sample }[]): Growth[] {
  return (Object.keys(BARS) as Quantity[]).map((quantity) => {
    const points = samples.map(({ minutes, sample }) => [minutes, sample[quantity]] as const)
    const { slope, error } = lineThrough(points)
    const { unit, perMinute, reading } = BARS[quantity]
    const bar = perMinute === undefined ? Infinity : perMinute * (unit === 'MB' ? 1e6 : 1)
    const counted = reading === 'certain' ? slope - 2 * error : slope
    const [first = 0, last = 0] = [points[0]?.[1], points.at(-1)?.[1]]
    return { quantity, first, last, perMinute: slope, error, grows: counted >= bar }
  })
}

/** A table of what grew how much, one line per quantity. */
export function growthTable(title: string, growths: readonly Growth[]): string {
  const rows = growths.map(({ quantity, first, last, perMinute, error, grows }) => {
    const { unit } = BARS[quantity]
    const show = (value: number): string => (unit === 'MB' ? (value / 1e6).toFixed(2) : value.toFixed(1))
    const bar = BARS[quantity].perMinute
    return [
      quantity.replace('Bytes', ''),
      show(first),
      show(last),
      `${show(perMinute)} ± ${show(error)}`,
      bar === undefined ? '' : grows ? `GROWS (bar ${bar} ${unit})` : 'flat',
    ]
  })
  const all = [[title, 'first', 'last', 'per minute', ''], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
