import { type FileHandle, open } from 'node:fs/promises'
import { EasyNetError } from '../errors/error.ts'

const READ_BYTES = 64 * 1024

/** @throws {@link EasyNetError} `daemon_unreachable` when nothing was ever logged there */
export async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    throw new EasyNetError('daemon_unreachable', `There is no log at ${path}.`, {
      hint: 'easynet up',
      details: { why: 'A daemon that runs in the foreground logs to its terminal.' },
      cause,
    })
  }
}

/** The last `count` lines. Reads backwards, so that a large log costs no more than what is shown. */
export async function lastLines(file: FileHandle, count: number): Promise<{ lines: string[]; end: number }> {
  const { size: end } = await file.stat()
  let start = end
  let bytes = Buffer.alloc(0)
  while (start > 0 && countNewlines(bytes) <= count) {
    const length = Math.min(READ_BYTES, start)
    start -= length
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start)
    bytes = Buffer.concat([buffer, bytes])
  }
  const lines = bytes.toString('utf8').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return { lines: count === 0 ? [] : lines.slice(-count), end }
}

function countNewlines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1
  return count
}

/** The object of a JSON line; a line of another form is a text. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Half a line, or one of another program.
    return line
  }
}
