import { cpus, totalmem } from 'node:os'
import type { Result } from './measure.ts'

export interface Column {
  title: string
  /** Step and field of the result. */
  step: string
  field: string
  digits: number
}

/** Medians of a system by column; a column it does not have is undefined. */
export type Row = { title: string; results: Map<string, Result[]> }

/** A Markdown table of medians, each with its ratio to the row `base`. */
export function formatTable(columns: readonly Column[], rows: readonly Row[], base: Row | undefined): string {
  const cell = (row: Row, column: Column): string => {
    const value = medianOf(row, column)
    if (value === undefined) return '–'
    const text = column.digits === 0 ? Math.round(value).toLocaleString('en') : value.toFixed(column.digits)
    const reference = base === undefined ? undefined : medianOf(base, column)
    if (reference === undefined || row === base) return text
    const ratio = value / reference
    return `${text} (${ratio.toFixed(ratio < 10 ? 2 : 0)}×)`
  }
  const lines = rows.map((row) => [row.title, ...columns.map((column) => cell(row, column))])
  const header = ['system', ...columns.map((column) => column.title)]
  const rule = header.map((_, index) => (index === 0 ? '---' : '---:'))
  return [header, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function medianOf({ results }: Row, { step, field }: Column): number | undefined {
  const values = (results.get(step) ?? []).flatMap((result) => result[field] ?? []).sort((a, b) => a - b)
  return values[Math.floor(values.length / 2)]
}

/** What the numbers depend on. */
export function machineFacts(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`
}
