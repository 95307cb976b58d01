import { innerPaths, type Place } from './words.ts'

/** `source <(easynet completion bash)`. Files are offered where no word fits. */
export function bashScript(places: readonly Place[]): string {
  const cases = places.map(
    ({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  )
  return `# bash completion of easynet: source <(easynet completion bash)
_easynet() {
  local current=\${COMP_WORDS[COMP_CWORD]} at=easynet words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${innerPaths(places)
        .map((path) => `'${path}'`)
        .join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _easynet easynet
`
}
