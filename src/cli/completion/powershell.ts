import { innerPaths, type Place, type Word } from './words.ts'

/** `easynet completion powershell | Out-String | Invoke-Expression`. */
export function powershellScript(places: readonly Place[]): string {
  const cases = places.map(
    ({ path, words }) => `    ${quote(path)} { @(\n${words.map(line).join('\n')}\n    ) }`,
  )
  return `# PowerShell completion of easynet: easynet completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName easynet -ScriptBlock {
  param($current, $line, $cursor)
  $inner = @(${innerPaths(places).map(quote).join(', ')})
  $at = 'easynet'
  foreach ($element in $line.CommandElements | Select-Object -Skip 1) {
    if ($element.Extent.EndOffset -ge $cursor) { break }
    if ($inner -contains "$at $element") { $at = "$at $element" }
  }
  $items = switch ($at) {
${cases.join('\n')}
  }
  $items | Where-Object { $_[0].StartsWith($current) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`
}

/** The comma keeps each pair a list of its own. */
function line({ word, about }: Word): string {
  return `      , @(${quote(word)}, ${quote(about)})`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
