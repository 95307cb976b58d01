import { expect, test } from 'vitest'
import { run } from './support/commands.ts'

// `npm run soak` is ten minutes; what grows slowly is seen by it alone.
test('a minute of load, with peers and programs that come, go and are killed: every verdict is right, no descriptor is left', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [
    'scripts/soak.ts',
    '--minutes',
    '0.8',
    '--short',
  ])
  expect([code, stderr], stdout).toEqual([0, ''])
  expect(stdout).toMatch(/soak: passed/)
}, 240_000)
