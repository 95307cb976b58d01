import { expect, test } from 'vitest'
import { createCollector } from '../../../src/api/collect.ts'
import type { CallResult } from '../../../src/model/call.ts'

const result: CallResult = {
  id: '1',
  result: null,
  provider: { peerId: 'p', name: 'n' },
  path: 'local',
  attempts: 1,
  failed: [],
  durationMs: 1,
  cost: '0',
}

test('chunks become the result when the function returned nothing', () => {
  const collector = createCollector(() => {})
  void collector.chunk('a')
  void collector.chunk('b')
  expect(collector.withChunks(result).result).toEqual(['a', 'b'])
  expect(collector.withChunks({ ...result, result: 3 }).result).toBe(3)
})

test('a result without chunks stays as it is', () => {
  expect(createCollector(() => {}).withChunks(result).result).toBeNull()
})

test('too many chunks end the call', () => {
  const errors: string[] = []
  const collector = createCollector((error) => void errors.push(error.reason), 100)
  void collector.chunk(new Uint8Array(60))
  expect(() => collector.chunk([new Uint8Array(60)])).toThrow('larger than 100 bytes')
  expect(errors).toEqual(['too_large'])
})
