import type { CallInfo } from 'easynet'

/** Who ran a call, over which path, in how long. */
export type Ran = Pick<CallInfo, 'provider' | 'path' | 'durationMs'>

/** What people read. Colour only on a terminal, and not with NO_COLOR. */
export interface Report {
  readonly colour: boolean
  line(text?: string): void
  /** Begins a numbered part. */
  scene(title: string): void
  /** A line of the current part. */
  detail(text: string): void
  ran(fn: string, ran: Ran, how?: string): void
  howToUse(folder: string): void
}

export function createReport(out: NodeJS.WriteStream): Report {
  const colour = out.isTTY && (process.env['NO_COLOR'] ?? '') === ''
  const style = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  const bold = (text: string): string => style(1, text)
  let scenes = 0
  const report: Report = {
    colour,
    line: (text = '') => void out.write(`${text}\n`),
    scene(title) {
      scenes += 1
      report.line(`\n${bold(`${scenes}. ${title}`)}`)
    },
    detail: (text) => report.line(`   ${text.replaceAll('\n', '\n   ')}`),
    ran(fn, { provider, path, durationMs }, how = '') {
      const facts = [`${provider.name} ${shortId(provider.peerId)}`, path, `${Math.round(durationMs)} ms`]
      report.detail(style(2, `${fn} ran on ${facts.join(', ')}${how}`))
    },
    howToUse(folder) {
      report.line(
        [
          '',
          bold('The mesh is still running. You are laptop:'),
          `  export EASYNET_HOME=${folder}/laptop PATH="$PWD/bin:$PATH"`,
          '  easynet fn ls',
          "  easynet call text.stats 'Hello, 世界'",
          '  easynet call lab/hash.sha256 data@=README.md',
          '  easynet call image.ascii image@=examples/data/coast.jpg',
          '  easynet call hash.search text=EasyNet zeros:=5',
          '',
          bold('Stop it:'),
          `  npm run demo -- --stop ${folder}`,
        ].join('\n'),
      )
    },
  }
  return report
}

/** The end of a peer id: all of them begin alike. */
export function shortId(peerId: string): string {
  return `…${peerId.slice(-8)}`
}
