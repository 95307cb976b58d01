/** Options of every command. */
export interface GlobalOptions {
  home?: string
  json?: true
  quiet?: true
}

/** Options that are known before anything else is: they decide how even usage errors are printed. */
export function readGlobalOptions(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf('--')
  const own = end === -1 ? argv : argv.slice(0, end)
  const at = own.findLastIndex((word) => word === '--home' || word.startsWith('--home='))
  const home = own[at]?.startsWith('--home=') === true ? own[at].slice('--home='.length) : own[at + 1]
  return {
    ...(own.includes('--json') ? { json: true } : {}),
    ...(own.includes('-q') || own.includes('--quiet') ? { quiet: true } : {}),
    ...(at === -1 || home === undefined ? {} : { home }),
  }
}
