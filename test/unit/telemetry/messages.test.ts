import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const CALL = /\blogger\??\.(?:trace|debug|info|warn|error|fatal)\(/g

/** The arguments of the call that begins at `from`, as text. */
function argumentsAt(source: string, from: number): string {
  let depth = 1
  let end = from
  while (depth > 0 && end < source.length) {
    if ('([{'.includes(source.charAt(end))) depth += 1
    else if (')]}'.includes(source.charAt(end))) depth -= 1
    end += 1
  }
  return source.slice(from, end - 1).trim()
}

test('the messages of the log are constant, and what differs stands beside them', () => {
  const calls = globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    return [...source.matchAll(CALL)].map((match) => ({
      file,
      text: argumentsAt(source, match.index + match[0].length),
    }))
  })
  expect(calls.length).toBeGreaterThan(10)
  const wrong = calls.filter(({ text }) => !/^(?:\{[\s\S]*\}|\w+),\s*'[^']+',?$/.test(text))
  expect(wrong).toEqual([])
})
