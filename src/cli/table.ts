import { type WidthOf, widthFor } from './display-width.ts'

const GAP = '  '
const ELLIPSIS = '…'
/** A column is not cut below this. */
const MIN_COLUMN = 8

/**
 * Rows under a header. With a `width` the columns are aligned and the lines cut to it, the widest column
 * first; without one (a pipe) the cells are whole and separated by tabs.
 */
export async function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width?: number,
): Promise<string> {
  const lines = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll(/[\t\n\r]+/g, ' ')))
  if (width === undefined) return lines.map((row) => `${row.join('\t')}\n`).join('')
  const widthOf = await widthFor(lines.flat())
  const widths = fit(
    header.map((_, column) => Math.max(...lines.map((row) => widthOf(row[column] ?? '')))),
    width,
  )
  return lines.map((row) => `${alignRow(row, widths, widthOf)}\n`).join('')
}

function fit(widths: readonly number[], total: number): number[] {
  const fitted = [...widths]
  const room = total - GAP.length * (widths.length - 1)
  let excess = fitted.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const widest = fitted.indexOf(Math.max(...fitted))
    const next = Math.max(MIN_COLUMN, ...fitted.filter((_, column) => column !== widest))
    const cut = Math.min(excess, Math.max(1, (fitted[widest] ?? 0) - next))
    if ((fitted[widest] ?? 0) <= MIN_COLUMN) break
    fitted[widest] = (fitted[widest] ?? 0) - cut
    excess -= cut
  }
  return fitted
}

function alignRow(row: readonly string[], widths: readonly number[], widthOf: WidthOf): string {
  return row
    .map((cell, column) => {
      const text = truncate(cell, widths[column] ?? 0, widthOf)
      return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text)))
    })
    .join(GAP)
    .trimEnd()
}

function truncate(text: string, width: number, widthOf: WidthOf): string {
  if (widthOf(text) <= width) return text
  let cut = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment)
    if (used > width - 1) break
    cut += segment
  }
  return cut + ELLIPSIS
}
