import { styleText } from 'node:util'
import { toPlainJson } from '../model/json.ts'
import { formatTable } from './table.ts'

/** The streams of the process, or those of a test. */
export interface OutputStream extends NodeJS.WritableStream {
  isTTY?: boolean
  columns?: number
}

export interface Output {
  /** The command's result, as it is. */
  write(data: string | Uint8Array): void
  line(text: string): void
  /** One JSON document, or one line of NDJSON. Bytes become `{"$bytes":…}`. */
  json(document: object): void
  table(header: readonly string[], rows: readonly (readonly string[])[]): void
  /** Lines of label and value, aligned on a terminal; nothing is cut, since values are copied from here. */
  fields(rows: readonly (readonly [label: string, value: string])[]): void
  /** For people, beside the result. */
  note(text: string): void
  style(format: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string): string
  /** `text` without what could take over the terminal, when there is one: other devices write it. */
  safe(text: string): string
  isTTY: boolean
  /** True when notes are read by a person. */
  notesToTTY: boolean
}

export function createOutput(stdout: OutputStream, stderr: OutputStream, env: NodeJS.ProcessEnv): Output {
  const isTTY = stdout.isTTY === true
  const notesToTTY = stderr.isTTY === true
  const colours = notesToTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return {
    isTTY,
    notesToTTY,
    write: (data) => void stdout.write(data),
    line: (text) => void stdout.write(`${text}\n`),
    json: (document) => void stdout.write(`${JSON.stringify(toPlainJson(document))}\n`),
    table(header, rows) {
      stdout.write(formatTable(header, rows, isTTY ? stdout.columns || 80 : undefined))
    },
    fields([first = ['', ''], ...others]) {
      stdout.write(formatTable(first, others, isTTY ? Infinity : undefined))
    },
    note: (text) => void stderr.write(`${text}\n`),
    style: (format, text) => (colours ? styleText(format, text, { validateStream: false }) : text),
    safe: (text) => (isTTY || notesToTTY ? stripControls(text) : text),
  }
}

/** Without the control characters that terminals obey, except newline and tab. */
export function stripControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '\u{fffd}')
}
