import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openDiskReserve } from '../../../src/storage/disk-reserve.ts'
import { tempDir } from './temp-dir.ts'

// How it does on a disk that is really full is in test/integration/full-disk.test.ts.

const BYTES = 300_000
const sizeIn = (folder: string): number | undefined =>
  statSync(join(folder, 'reserve'), { throwIfNoEntry: false })?.size

function openIn(folder: string) {
  const changes: boolean[] = []
  const reserve = openDiskReserve({
    folder,
    bytes: BYTES,
    checkIntervalMs: 5,
    onChange: (isFull) => changes.push(isFull),
  })
  onTestFinished(() => reserve[Symbol.dispose]())
  return { reserve, changes }
}

test('keeps its room from the start, for this user only', () => {
  const folder = tempDir()
  const { reserve, changes } = openIn(folder)
  expect(sizeIn(folder)).toBe(BYTES)
  expect(statSync(join(folder, 'reserve')).mode & 0o777).toBe(0o600)
  expect([reserve.isFull, changes]).toEqual([false, []])
})

test('is given free at once, and kept again when there is room', async () => {
  const folder = tempDir()
  const { reserve, changes } = openIn(folder)
  reserve.exhausted()
  reserve.exhausted()
  expect([reserve.isFull, sizeIn(folder)]).toEqual([true, undefined])
  await vi.waitUntil(() => !reserve.isFull)
  expect(sizeIn(folder)).toBe(BYTES)
  expect(changes).toEqual([true, false])
})

test('a disk without room for it counts as full', () => {
  const changes: boolean[] = []
  const reserve = openDiskReserve({ folder: tempDir(), bytes: 2 ** 60, onChange: (is) => changes.push(is) })
  onTestFinished(() => reserve[Symbol.dispose]())
  expect([reserve.isFull, changes]).toEqual([true, [true]])
})

test('looks no further when it is not needed any more', () => {
  const folder = tempDir()
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { reserve, changes } = openIn(folder)
  reserve.exhausted()
  reserve[Symbol.dispose]()
  vi.advanceTimersByTime(60_000)
  expect([sizeIn(folder), changes]).toEqual([undefined, [true]])
})
