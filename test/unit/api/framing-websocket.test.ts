import { describe, expect, test } from 'vitest'
import { checkDepth } from '../../../src/api/attach/depth.ts'
import { createWebSocketJoiner } from '../../../src/api/attach/framing-websocket.ts'

describe('the WebSocket framing', () => {
  const text = (json: unknown): [Buffer, boolean] => [Buffer.from(JSON.stringify(json)), false]

  test('joins a text message with the binary messages that it announces', () => {
    const got: unknown[] = []
    const join = createWebSocketJoiner(
      (json, blobs) => void got.push([json['id'], blobs.map((blob) => blob.length)]),
    )
    join(...text({ id: 1 }))
    join(...text({ id: 2, bin: [2, 0] }))
    join(Buffer.alloc(2), true)
    join(Buffer.alloc(0), true)
    join(...text({ id: 3 }))
    expect(got).toEqual([
      [1, []],
      [2, [2, 0]],
      [3, []],
    ])
  })

  test('refuses bytes that nobody announced, of another length, or that do not come', () => {
    const join = createWebSocketJoiner(() => {})
    expect(() => join(Buffer.alloc(1), true)).toThrow('not announced')
    join(...text({ bin: [2] }))
    expect(() => join(Buffer.alloc(3), true)).toThrow('not announced')
    expect(() => join(...text({}))).toThrow('did not come')
  })
})

test('deep nesting is noticed', () => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  expect(() => checkDepth(nested(60))).not.toThrow()
  expect(() => checkDepth(nested(100_000))).toThrow('nested deeper')
})
