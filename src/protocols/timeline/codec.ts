import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { CALL_ID, type ExecutionNotes } from '../../model/call.ts'
import { decodeCbor, encodeCbor } from '../../util/cbor.ts'

const questionSchema = z.object({ id: z.string().regex(CALL_ID) })
/** Microseconds after the call came. */
const offset = z.int().min(0).optional()
const notesSchema = z.object({ queued: offset, started: offset, ended: offset, answered: offset })
const answerSchema = z.object({ notes: notesSchema.nullable() })
const STEPS = ['queued', 'started', 'ended', 'answered'] as const

export function encodeQuestion(id: string): Uint8Array {
  return encodeCbor({ id })
}

/** The id of the call. @throws `protocol_violation` */
export function decodeQuestion(bytes: Uint8Array): string {
  const parsed = questionSchema.safeParse(decodeCbor(bytes))
  if (parsed.success) return parsed.data.id
  throw new EasyNetError('protocol_violation', 'The other device asked for a timeline in an unknown form.')
}

/** @param notes - undefined when none are kept */
export function encodeNotes(notes: ExecutionNotes | undefined): Uint8Array {
  return encodeCbor({ notes: notes === undefined ? null : mapped(notes, (ms) => Math.round(ms * 1_000)) })
}

/** @throws `protocol_violation` */
export function decodeNotes(bytes: Uint8Array): ExecutionNotes | undefined {
  const parsed = answerSchema.safeParse(decodeCbor(bytes))
  if (!parsed.success) {
    throw new EasyNetError('protocol_violation', 'The other device told a timeline in an unknown form.')
  }
  const { notes } = parsed.data
  return notes === null ? undefined : mapped(notes, (microseconds) => microseconds / 1_000)
}

type Offsets = { [Step in (typeof STEPS)[number]]?: number | undefined }

function mapped(offsets: Offsets, change: (offset: number) => number): ExecutionNotes {
  const notes: ExecutionNotes = {}
  for (const step of STEPS) {
    const value = offsets[step]
    if (value !== undefined) notes[step] = change(value)
  }
  return notes
}
