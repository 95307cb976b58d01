import { expect, test } from 'vitest'
import { deviceNameSchema } from '../../../src/model/advert.ts'

test.each(['laptop', 'Anna’s laptop', '书房 电脑', 'node-0', 'a_b.c', 'é'])('%s is a name', (name) =>
  expect(deviceNameSchema.safeParse(name).success).toBe(true),
)

test.each([
  ['', 'empty'],
  ['x'.repeat(65), 'too long'],
  ['a\nb', 'a line break'],
  ['\u001b[2J', 'a control sequence'],
  ['a/b', 'a slash'],
  ['a@b', 'an @'],
  ['a\u202eb', 'a change of direction'],
  ['a\u200bb', 'a character of no width'],
  [' laptop', 'a space before'],
  ['laptop ', 'a space after'],
  ['lap  top', 'two spaces'],
  ['lap\u00a0top', 'a space that is not one'],
  ['laptop\u3164', 'a letter that is blank'],
  ['\u2800', 'a blank'],
])('%j is no name: %s', (name) => expect(deviceNameSchema.safeParse(name).success).toBe(false))
