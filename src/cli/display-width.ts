/** Columns that a text takes in a terminal. */
export type WidthOf = (text: string) => number

/** Latin, arrows, dashes, the ellipsis, ticks; then kana, CJK and full-width signs, which take two columns. */
const NARROW = String.raw`\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2193\u2500-\u257f\u2713\u2717`
const WIDE = String.raw`\u3001-\u3011\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff5e`
const PLAIN = new RegExp(`^[${NARROW}${WIDE}]*$`)
const WIDE_ONES = new RegExp(`[${WIDE}]`, 'g')

/**
 * What measures these texts. Only emoji, combining marks and scripts beyond {@link PLAIN} need the whole of
 * Unicode, whose loading takes a third of the time of a short command.
 */
export async function widthFor(texts: Iterable<string>): Promise<WidthOf> {
  for (const text of texts) {
    if (!PLAIN.test(text)) return (await import('string-width')).default
  }
  return (text) => text.length + (text.match(WIDE_ONES)?.length ?? 0)
}
