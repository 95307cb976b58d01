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
  table(header: readonly string[], rows: readonly (readonly string[])[]): Promise<void>
  /** Lines of labels and a value, aligned on a terminal; nothing is cut, since values are copied from here. */
  fields(rows: readonly (readonly string[])[]): Promise<void>
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
  // Names and descriptions are written by other devices.
  const safeCell = (cell: string): string => (isTTY ? stripControls(cell) : cell)
  return {
    isTTY,
    notesToTTY,
    write: (data) => void stdout.write(data),
    line: (text) => void stdout.write(`${text}\n`),
    json: (document) => void stdout.write(`${JSON.stringify(toPlainJson(document))}\n`),
    async table(header, rows) {
      const safe = rows.map((row) => row.map(safeCell))
      stdout.write(await formatTable(header, safe, isTTY ? stdout.columns || 80 : undefined))
    },
    async fields([first = [], ...others]) {
      const [head, ...rest] = [first, ...others].map((row) => row.map(safeCell))
      stdout.write(await formatTable(head ?? [], rest, isTTY ? Infinity : undefined))
    },
    note: (text) => void stderr.write(`${text}\n`),
    style: (format, text) => (colours ? styleText(format, text, { validateStream: false }) : text),
    safe: (text) => (isTTY || notesToTTY ? stripControls(text) : text),
  }
}

/** Without what terminals obey, except newline and tab, and what turns the direction of the text. */
export function stripControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}')
}
