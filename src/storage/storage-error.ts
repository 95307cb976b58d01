import { EasyNetError } from '../errors/error.ts'

// https://www.sqlite.org/rescode.html
const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

/** True for a write that found no room. */
export function isDiskFull(error: unknown): boolean {
  return resultCode(error) === FULL
}

/** A failure of SQLite in words for the user, with what to do about it: `storage_failed`. */
export function toStorageError(file: string, error: unknown): EasyNetError {
  if (error instanceof EasyNetError) return error
  const { text, hint } = explain(file, error)
  return new EasyNetError('storage_failed', text, {
    cause: error,
    details: { file },
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Thrown when a newer release has written the file. */
export function newerDatabase(file: string, found: number, known: number): EasyNetError {
  return new EasyNetError(
    'storage_failed',
    `${file} was written by a newer EasyNet: it has format ${found}, this program knows up to ${known}.`,
    { hint: 'Update EasyNet, or start with another --home.', details: { file, found, known } },
  )
}

function explain(file: string, error: unknown): { text: string; hint?: string } {
  const original = error instanceof Error ? error.message : String(error)
  switch (resultCode(error)) {
    case CORRUPT:
    case NOT_A_DATABASE:
      return {
        text: `${file} is damaged (${original}).`,
        hint: `Put it aside, a new one is made at the next start: mv "${file}" "${file}.damaged"; rm -f "${file}-wal" "${file}-shm"`,
      }
    case FULL:
      return { text: `The disk that holds ${file} is full.`, hint: `df -h "${file}"` }
    case BUSY:
      return { text: `Another program holds ${file} locked.`, hint: `fuser "${file}"` }
    case READ_ONLY:
    case CANNOT_OPEN:
      return { text: `${file} cannot be opened for writing (${original}).`, hint: `ls -ld "${file}"` }
    case IO_ERROR:
      return { text: `Reading or writing ${file} failed (${original}).`, hint: 'dmesg | tail' }
    default:
      return { text: `The database ${file} failed: ${original}` }
  }
}

/** SQLite's primary result code; extended codes carry more in their upper bytes. */
function resultCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return 0
  return error.errcode & 0xff
}
