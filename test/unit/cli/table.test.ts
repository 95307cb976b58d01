import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { widthFor } from '../../../src/cli/display-width.ts'
import { formatTable } from '../../../src/cli/table.ts'

test('a pipe gets whole cells, separated by tabs', async () => {
  const long = 'x'.repeat(500)
  expect(await formatTable(['A', 'B'], [['1', long]])).toBe(`A\tB\n1\t${long}\n`)
})

test('a cell cannot break the line or the columns', async () => {
  expect(await formatTable(['A', 'B'], [['a\tb', 'c\r\nd']])).toBe('A\tB\na b\tc d\n')
})

test('columns are aligned by what is seen', async () => {
  expect(
    await formatTable(
      ['NAME', 'N'],
      [
        ['设备', '1'],
        ['pc', '22'],
      ],
      80,
    ),
  ).toBe('NAME  N\n设备  1\npc    22\n')
})

test('the widest column is cut first', async () => {
  const text = await formatTable(['NAME', 'DESCRIPTION'], [['text.upper', '把文字变成大写'.repeat(5)]], 40)
  const [, line = ''] = text.split('\n')
  expect(line.startsWith('text.upper  把文字')).toBe(true)
  expect(line.endsWith('…')).toBe(true)
  expect(stringWidth(line)).toBeLessThanOrEqual(40)
})

test('no line is wider than the terminal', async () => {
  const rows = fc.array(
    fc.tuple(fc.string({ unit: 'grapheme' }), fc.string(), fc.string({ unit: 'grapheme', maxLength: 60 })),
  )
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 40, max: 200 }), async (cells, width) => {
      const lines = (await formatTable(['ONE', 'TWO', 'THREE'], cells, width)).split('\n')
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width)
    }),
  )
})

test('the library is loaded for uncommon signs only', async () => {
  expect(await widthFor(['pc · 设备 …'])).not.toBe(stringWidth)
  expect(await widthFor(['pc', 'نص'])).toBe(stringWidth)
})

test('each of the common signs has the width of the library', async () => {
  const measured = new Set<string>()
  for (let at = 0x20; at < 0x10000; at += 1) {
    const sign = String.fromCharCode(at)
    const widthOf = await widthFor([sign])
    if (widthOf !== stringWidth) measured.add(sign)
    if (widthOf(sign) !== stringWidth(sign))
      expect(`${at.toString(16)} ${widthOf(sign)}`).toBe(stringWidth(sign))
  }
  expect(measured.size).toBeGreaterThan(20_000)
})
