import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  decodeNotes,
  decodeQuestion,
  encodeNotes,
  encodeQuestion,
} from '../../../../src/protocols/timeline/codec.ts'
import { encodeCbor } from '../../../../src/util/cbor.ts'

const malformed = expect.objectContaining({ reason: 'protocol_violation' }) as Error

test('a question and its answer come back, to the microsecond', () => {
  const id = randomUUID()
  expect(decodeQuestion(encodeQuestion(id))).toBe(id)
  const notes = { queued: 0, started: 1.2345, ended: 20.5, answered: 21 }
  expect(decodeNotes(encodeNotes(notes))).toEqual({ ...notes, started: 1.235 })
  expect(decodeNotes(encodeNotes({}))).toEqual({})
  expect(decodeNotes(encodeNotes(undefined))).toBeUndefined()
})

test('what is malformed is a violation; what is new is ignored', () => {
  for (const wrong of [{}, [], null, { id: 'x' }, { id: randomUUID().toUpperCase() }]) {
    expect(() => decodeQuestion(encodeCbor(wrong))).toThrow(malformed)
  }
  for (const wrong of [{}, 1, { notes: 1 }, { notes: { started: -1 } }, { notes: { started: 0.5 } }]) {
    expect(() => decodeNotes(encodeCbor(wrong))).toThrow(malformed)
  }
  expect(decodeNotes(encodeCbor({ notes: { started: 7, slept: 'well' }, more: [1] }))).toEqual({
    started: 0.007,
  })
})
