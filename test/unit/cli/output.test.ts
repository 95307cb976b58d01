import { expect, test } from 'vitest'
import { nearest } from '../../../src/cli/nearest.ts'
import { createOutput, stripControls } from '../../../src/cli/output.ts'
import { recorder } from './support.ts'

test('texts of other devices cannot steer the terminal', () => {
  expect(stripControls('a\u{1b}[2Jb\u{9b}c\rd\te\n中')).toBe('a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\te\n中')
})

test('bytes in a JSON document are base64', () => {
  const stdout = recorder()
  createOutput(stdout, recorder(), {}).json({ schema: 'x/1', result: new Uint8Array([1]) })
  expect(stdout.text()).toBe('{"schema":"x/1","result":{"$bytes":"AQ=="}}\n')
})

test.each([
  ['statsu', 'status'],
  ['stat', undefined],
  ['pign', 'ping'],
  ['cal', 'call'],
  ['x', undefined],
])('nearest to %s is %s', (text, expected) => {
  expect(nearest(text, ['status', 'ping', 'call', 'up', 'down'])).toBe(expected)
})
