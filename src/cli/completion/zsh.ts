import { innerPaths, type Place, type Word } from './words.ts'

/** `source <(easynet completion zsh)`, or a file `_easynet` in a folder of `$fpath`. */
export function zshScript(places: readonly Place[]): string {
  const cases = places.map(({ path, words }) => `    ('${path}') items=(${words.map(item).join(' ')}) ;;`)
  return `#compdef easynet
# zsh completion of easynet: source <(easynet completion zsh)
_easynet() {
  local at=easynet word
  local -a items
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      (${innerPaths(places)
        .map((path) => `'${path}'`)
        .join(' | ')}) at="$at $word" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  _describe easynet items || _files
}
if [[ "\${funcstack[1]}" == _easynet ]]; then _easynet; else compdef _easynet easynet; fi
`
}

/** `word:about`; a colon inside the word would end it. */
function item({ word, about }: Word): string {
  const text = `${word.replaceAll(':', '\\:')}:${about}`
  return `'${text.replaceAll("'", "'\\''")}'`
}
