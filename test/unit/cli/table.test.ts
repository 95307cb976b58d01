import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { formatTable } from '../../../src/cli/table.ts'

test('a pipe gets whole cells, separated by tabs', () => {
  const long = 'x'.repeat(500)
  expect(formatTable(['A', 'B'], [['1', long]])).toBe(`A\tB\n1\t${long}\n`)
})

test('a cell cannot break the line or the columns', () => {
  expect(formatTable(['A', 'B'], [['a\tb', 'c\r\nd']])).toBe('A\tB\na b\tc d\n')
})

test('columns are aligned by what is seen', () => {
  expect(
    formatTable(
      ['NAME', 'N'],
      [
        ['设备', '1'],
        ['pc', '22'],
      ],
      80,
    ),
  ).toBe('NAME  N\n设备  1\npc    22\n')
})

test('the widest column is cut first', () => {
  const text = formatTable(['NAME', 'DESCRIPTION'], [['text.upper', '把文字变成大写'.repeat(5)]], 40)
  const [, line = ''] = text.split('\n')
  expect(line.startsWith('text.upper  把文字')).toBe(true)
  expect(line.endsWith('…')).toBe(true)
  expect(stringWidth(line)).toBeLessThanOrEqual(40)
})

test('no line is wider than the terminal', () => {
  const rows = fc.array(
    fc.tuple(fc.string({ unit: 'grapheme' }), fc.string(), fc.string({ unit: 'grapheme', maxLength: 60 })),
  )
  fc.assert(
    fc.property(rows, fc.integer({ min: 40, max: 200 }), (cells, width) => {
      const lines = formatTable(['ONE', 'TWO', 'THREE'], cells, width).split('\n')
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width)
    }),
  )
})
