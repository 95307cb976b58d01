import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeCall, encodeValue } from '../../../src/protocols/call/codec.ts'
import { frameHeader, FrameType } from '../../../src/protocols/call/frames.ts'

const root = join(import.meta.dirname, '../../..')
const text = readFileSync(join(root, 'docs/a-call-step-by-step.md'), 'utf8')
const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))

test('every file that the walk names exists', () => {
  const files = [...text.matchAll(/`((?:src|docs|test)\/[\w./-]+\.(?:ts|md))`/g)].map((match) => match[1]!)
  expect(files.length).toBeGreaterThan(15)
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('every function that the walk names exists', () => {
  const names = new Set([...text.matchAll(/`(\w+)\(\)`/g)].map((match) => match[1]!))
  const isDeclared = (name: string): boolean => {
    const declaration = new RegExp(
      String.raw`(?:function|const|class)\*? ${name}\b|^ +(?:static |async )*${name}\??(?:<.*>)?\(.*(?:\{|: .+)$|^ +${name}: `,
      'm',
    )
    return sources.some((source) => declaration.test(source))
  }
  expect(names.size).toBeGreaterThan(30)
  expect([...names].filter((name) => !isDeclared(name))).toEqual([])
})

function bytesOf(block: string): string {
  const match = new RegExp(`\`\`\`hex ${block}\n([^\`]+)\`\`\``).exec(text)
  return (match?.[1] ?? '').replaceAll(/\s/g, '')
}
function frame(type: FrameType, payload: Uint8Array): string {
  return Buffer.concat([frameHeader(type, 1, payload.length), payload]).toString('hex')
}

test('the bytes of the call and of its result are those that the code sends', () => {
  const { payload } = encodeCall({
    id: '6f1d3f0e-2b7a-4c55-9d2e-0a1b2c3d4e5f',
    fn: 'text.upper',
    timeoutMs: 5_000,
    input: false,
    args: ['hi'],
    kwargs: {},
  })
  expect(bytesOf('call')).toBe(frame(FrameType.call, payload))
  expect(bytesOf('result')).toBe(frame(FrameType.result, encodeValue('HI').payload))
})
