import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createReceiveWindow, createSendWindow } from '../../../src/api/attach/windows.ts'
import { EasyNetError } from '../../../src/errors/error.ts'

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the sender', () => {
  test('waits for room and keeps the order', async () => {
    const window = createSendWindow(2)
    expect(window.claim()).toBeUndefined()
    expect(window.claim()).toBeUndefined()
    const order: number[] = []
    void window.claim()?.then(() => order.push(3))
    void window.claim()?.then(() => order.push(4))
    window.acknowledge(1)
    await tick()
    expect(order).toEqual([3])
    window.acknowledge(3)
    await tick()
    expect(order).toEqual([3, 4])
  })
  test('refuses impossible acknowledgements', () => {
    const window = createSendWindow(2)
    void window.claim()
    for (const n of [2, 1.5, 'x', undefined, Number.NaN])
      expect(() => window.acknowledge(n)).toThrow('acknowledged')
    window.acknowledge(1)
    window.acknowledge(0)
  })
  test('lets go of everybody when it closes', async () => {
    const window = createSendWindow(1)
    void window.claim()
    const waiting = window.claim()
    window.close(new EasyNetError('cancelled', 'over'))
    await expect(waiting).rejects.toThrow('over')
    await expect(window.claim()).rejects.toThrow('over')
  })
})

describe('the receiver', () => {
  test('hands on in order, one at a time, and acknowledges every 8', async () => {
    const taken: number[] = []
    const acks: number[] = []
    let isBusy = false
    const window = createReceiveWindow<number>(
      async (item) => {
        expect(isBusy).toBe(false)
        isBusy = true
        await tick()
        isBusy = false
        taken.push(item)
      },
      (n) => acks.push(n),
    )
    for (let item = 0; item < 16; item += 1) window.accept(item)
    expect(() => window.accept(16)).toThrow('unacknowledged')
    await new Promise<void>((resolve) => window.whenTaken(resolve))
    expect(taken).toEqual(Array.from({ length: 16 }, (_, index) => index))
    expect(acks).toEqual([8, 16])
  })
  test('acknowledges what a failed consumer does not want', async () => {
    const acks: number[] = []
    let count = 0
    const window = createReceiveWindow<number>(
      (item) => {
        count += 1
        if (item === 1) throw new Error('gone')
        return item === 0 ? Promise.resolve() : undefined
      },
      (n) => acks.push(n),
    )
    for (let item = 0; item < 16; item += 1) window.accept(item)
    await new Promise<void>((resolve) => window.whenTaken(resolve))
    expect(acks).toEqual([8, 16])
    expect(count).toBe(2)
  })
  test('and the sender together pass any number of items, never more than the window at once', async () => {
    const run = fc.asyncProperty(
      fc.nat({ max: 200 }),
      fc.infiniteStream(fc.boolean()),
      async (total, slow) => {
        const send = createSendWindow()
        const taken: number[] = []
        const receive = createReceiveWindow<number>(
          (item) => {
            taken.push(item)
            return slow.next().value ? tick() : undefined
          },
          (n) => send.acknowledge(n),
        )
        for (let item = 0; item < total; item += 1) {
          await send.claim()
          receive.accept(item)
        }
        await new Promise<void>((resolve) => receive.whenTaken(resolve))
        expect(taken.length).toBe(total)
      },
    )
    await fc.assert(run, { numRuns: 30 })
  })
})
