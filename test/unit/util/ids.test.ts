import { expect, test } from 'vitest'
import { createTimeOrderedIds } from '../../../src/util/ids.ts'

const timeOrderedId = createTimeOrderedIds()

test('an id is a UUID of version 7 that begins with the time', () => {
  const now = Date.UTC(2026, 0, 1)
  const id = timeOrderedId(now)
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(now)
})

test('later ids are greater, and ids of one moment differ', () => {
  expect(timeOrderedId(1_000) < timeOrderedId(1_001)).toBe(true)
  expect(new Set(Array.from({ length: 5_000 }, () => timeOrderedId(5))).size).toBe(5_000)
})
