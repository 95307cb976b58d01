import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WINDOW_ITEMS } from '../../../src/model/attach.ts'
import { SendWindow } from '../../../src/sdk/attach/window.ts'

test('the sender waits after 16 items until some are acknowledged', async () => {
  const window = new SendWindow()
  const { signal } = new AbortController()
  let sent = 0
  const sender = (async () => {
    for (; sent < WINDOW_ITEMS + 10; sent++) await window.take(signal)
  })()
  await turn()
  expect(sent).toBe(WINDOW_ITEMS)
  window.acknowledge(8)
  await turn()
  expect(sent).toBe(WINDOW_ITEMS + 8)
  window.acknowledge(10)
  await sender
})

test('wrong acknowledgements do not open it', async () => {
  const window = new SendWindow()
  const { signal } = new AbortController()
  for (let i = 0; i < WINDOW_ITEMS; i++) await window.take(signal)
  let taken = false
  void window.take(signal).then(() => (taken = true))
  for (const wrong of [0, -1, NaN, '9', undefined]) window.acknowledge(wrong)
  await turn()
  expect(taken).toBe(false)
})

test('a waiting sender stops on abort', async () => {
  const window = new SendWindow()
  const controller = new AbortController()
  for (let i = 0; i < WINDOW_ITEMS; i++) await window.take(controller.signal)
  const waiting = window.take(controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ reason: 'cancelled' })
  await expect(window.take(controller.signal)).rejects.toMatchObject({ reason: 'cancelled' })
})
