import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'

/** What the calling program notes of its calls, one JSON line each, on disk before it goes on. */
export type CallNote =
  | { n: number; event: 'begin'; at: number }
  | { n: number; event: 'accepted'; id: string }
  | ({ n: number; event: 'end' } & Verdict)

export interface Verdict {
  verdict: 'done' | 'failed' | 'interrupted' | 'unknown'
  result?: unknown
  reason?: string
  message?: string
  /** True when the error says that nothing ran. */
  retryable?: boolean
  /** From the call, or from the program's last start when that came later. */
  tookMs: number
  /** True when the program died meanwhile and asked again. */
  resumed: boolean
}

/** What a function really did. */
export interface Effect {
  step: 'start' | 'end'
  n: number
  /** The call's id. */
  id: string
}

/** Appends a line and waits for the disk. */
export function appendDurably(file: string, record: CallNote | Effect): void {
  const fd = openSync(file, 'a')
  appendFileSync(fd, `${JSON.stringify(record)}\n`)
  fsyncSync(fd)
  closeSync(fd)
}

/** A program that is killed while it writes leaves no half line: one append is one write. */
export function readRecords<T extends CallNote | Effect>(file: string): T[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as T)
}
