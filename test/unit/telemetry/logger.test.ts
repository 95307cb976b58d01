import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger } from '../../../src/telemetry/logger.ts'

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLogger({ level: 'debug', stream: { write: (line) => lines.push(line) } }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('writes one JSON line per fact, with level and time', () => {
  const [line] = logged((logger) => logger.child({ part: 'network' }).info({ peers: 2 }, 'peer connected'))
  expect(line).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    part: 'network',
    peers: 2,
    msg: 'peer connected',
  })
})

test('leaves out what is below its level, which can change', () => {
  const lines = logged((logger) => {
    logger.trace({}, 'no')
    logger.level = 'error'
    logger.warn({}, 'no')
    logger.error({ err: new Error('broken') }, 'yes')
  })
  expect(lines).toMatchObject([{ msg: 'yes', err: { message: 'broken' } }])
})

test('tokens never reach the log', () => {
  const secret = 'a1b2c3d4'
  const lines = logged((logger) => {
    logger.info({ token: secret, request: { headers: { authorization: `Bearer ${secret}` } } }, 'request')
    logger.error({ err: new Error(`refused "Bearer ${secret}"`) }, 'request refused')
    logger.child({ api: { token: secret } }).info({}, 'started')
  })
  expect(JSON.stringify(lines)).not.toContain(secret)
  expect(lines[0]).toMatchObject({ token: '[hidden]' })
})

test('goes to stderr at once, so that a crash keeps the last line', () => {
  const file = join(import.meta.dirname, '../../../src/telemetry/logger.ts')
  const program = `const { createLogger } = await import(${JSON.stringify(file)})
    createLogger().fatal({}, 'last words'); process.abort()`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
  expect(JSON.parse(stderr.split('\n')[0] ?? '')).toMatchObject({ level: 'fatal', msg: 'last words' })
})
