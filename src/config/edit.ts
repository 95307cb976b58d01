import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'smol-toml'
import { makeDir, writePrivateFile } from '../util/private-files.ts'
import { requireKey, valueFromText } from './keys.ts'
import { parseToml, readIfThere } from './layers.ts'
import { validateLayer } from './load.ts'
import { type Tree, withPath } from './paths.ts'

/**
 * Sets one value in a TOML file, which is made when it does not exist. Comments and everything else
 * stay. Nothing is written when the file would not be valid afterwards.
 *
 * @param key - dotted, such as `network.mdns`
 * @param text - the value as people type it; lists are separated by commas
 * @throws {@link EasyNetError} `invalid_config`, `unsafe_bind`
 */
export function setConfigValue(file: string, key: string, text: string): void {
  const known = requireKey(key)
  const before = readIfThere(file) ?? ''
  const values = withPath(parseToml(file, before), known, valueFromText(known, text, 'The value'))
  validateLayer({ values, title: file, originOf: (of) => `${file}:${of}` })
  makeDir(dirname(file))
  // The file may be a link into somebody's dotfiles, and a project's file is for others to read.
  const target = existsSync(file) ? realpathSync(file) : file
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600
  writePrivateFile(target, editToml(before, known, values), { mode })
}

/** `text` with the one line changed that holds `key`. */
function editToml(text: string, key: string, values: Tree): string {
  const wanted = stringify(values)
  const section = key.includes('.') ? key.slice(0, key.lastIndexOf('.')) : undefined
  const name = key.slice(key.lastIndexOf('.') + 1)
  const line = lineFor(wanted, section, name)
  const edited = withLine(text, section, name, line)
  // A value over several lines or an inline table: the exact file is then worth less than the right one.
  return isSame(edited, wanted) ? edited : wanted
}

function lineFor(toml: string, section: string | undefined, name: string): string {
  const lines = toml.split('\n')
  const { from, to } = sectionOf(lines, section) ?? { from: 0, to: lines.length }
  return lines.slice(from, to).find((line) => isLineOf(line, name)) ?? ''
}

function withLine(text: string, section: string | undefined, name: string, line: string): string {
  const lines = text.trimEnd() === '' ? [] : text.trimEnd().split('\n')
  const range = sectionOf(lines, section)
  if (range === undefined) lines.push(...(lines.length > 0 ? [''] : []), `[${section}]`, line)
  else {
    const at = lines.findIndex((old, index) => index >= range.from && index < range.to && isLineOf(old, name))
    if (at === -1) lines.splice(range.from, 0, line)
    else lines[at] = line
  }
  return `${lines.join('\n')}\n`
}

/** The lines between the header of `section` (or the start of the file) and the next header. */
function sectionOf(
  lines: readonly string[],
  section: string | undefined,
): { from: number; to: number } | undefined {
  const isHeader = (line: string): boolean => /^\s*\[/.test(line)
  const header = lines.findIndex((line) => section !== undefined && line.trim().startsWith(`[${section}]`))
  if (section !== undefined && header === -1) return undefined
  const next = lines.findIndex((line, index) => index > header && isHeader(line))
  return { from: header + 1, to: next === -1 ? lines.length : next }
}

function isLineOf(line: string, name: string): boolean {
  return line.trimStart().startsWith(name) && /^\s*=/.test(line.trimStart().slice(name.length))
}

function isSame(edited: string, wanted: string): boolean {
  try {
    return isDeepStrictEqual(parseToml('', edited), parseToml('', wanted))
  } catch {
    return false
  }
}
