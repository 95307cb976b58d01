import stringWidth from 'string-width'

const GAP = '  '
const ELLIPSIS = '…'
/** A column is not cut below this. */
const MIN_COLUMN = 8

/**
 * Rows under a header. With a `width` the columns are aligned and the lines cut to it, the widest column
 * first; without one (a pipe) the cells are whole and separated by tabs.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const lines = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll(/[\t\n\r]+/g, ' ')))
  if (width === undefined) return lines.map((row) => `${row.join('\t')}\n`).join('')
  const widths = fit(
    header.map((_, column) => Math.max(...lines.map((row) => stringWidth(row[column] ?? '')))),
    width,
  )
  return lines.map((row) => `${alignRow(row, widths)}\n`).join('')
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

function alignRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      const text = truncate(cell, widths[column] ?? 0)
      return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(text)))
    })
    .join(GAP)
    .trimEnd()
}

function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let cut = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment)
    if (used > width - 1) break
    cut += segment
  }
  return cut + ELLIPSIS
}
