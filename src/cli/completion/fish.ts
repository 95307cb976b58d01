import { innerPaths, type Place } from './words.ts'

/** `easynet completion fish | source`. */
export function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) =>
    words.map(
      ({ word, about }) =>
        `complete -c easynet -n ${quote(`__easynet_at ${quote(path)}`)} -a ${quote(word)} -d ${quote(about)}`,
    ),
  )
  return `# fish completion of easynet: easynet completion fish | source
function __easynet_at
  set -l at easynet
  for word in (commandline -opc)[2..]
    switch "$at $word"
      case ${innerPaths(places).map(quote).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}
