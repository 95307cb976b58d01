import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/storage/database.ts'
import { createInviteStore, type InviteStore } from '../../../src/storage/invite-store.ts'
import { createMeshStore } from '../../../src/storage/mesh-store.ts'
import { TRUST_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from './temp-dir.ts'

const MESH = new Uint8Array(32).fill(9)

function open(file: string): { database: Database; invites: InviteStore } {
  const database = openDatabase(file, { migrations: TRUST_MIGRATIONS, synchronous: 'full' })
  onTestFinished(() => database.close())
  return { database, invites: createInviteStore(database) }
}
/** A database with `count` invites whose keys are 0, 1, 2, … */
function setUp(count = 1, uses = 1) {
  const file = join(tempDir(), 'trust.db')
  const { database, invites } = open(file)
  const empty = new Uint8Array()
  createMeshStore(database).save({
    id: MESH,
    name: 'm',
    genesis: empty,
    rotations: [],
    chain: [],
    joinedAt: 0,
  })
  for (let n = 0; n < count; n += 1) {
    invites.create({
      key: Uint8Array.of(n),
      mesh: MESH,
      invite: empty,
      uses,
      createdAt: n,
      expiresAt: 1_000,
    })
  }
  return { file, database, invites }
}
const spendAs = (invites: InviteStore, newcomer: string, now = 0, n = 0) => {
  const spent = invites.spend({
    invite: Uint8Array.of(n),
    newcomer: Buffer.from(newcomer),
    redemption: new Uint8Array(),
    now,
    answer: () => Buffer.from(`welcome ${newcomer} at ${now}`),
  })
  return 'answer' in spent ? Buffer.from(spent.answer).toString() : spent.refused
}

test('one newcomer, one use; the same newcomer gets the same answer, whatever happened since', () => {
  const { invites } = setUp()
  expect(spendAs(invites, 'ann', 5)).toBe('welcome ann at 5')
  expect(spendAs(invites, 'bob', 6)).toBe('spent')
  expect(spendAs(invites, 'ann', 7)).toBe('welcome ann at 5')
  invites.cancel(Uint8Array.of(0), 8)
  expect(spendAs(invites, 'ann', 2_000)).toBe('welcome ann at 5')
  expect(invites.find(Uint8Array.of(0))).toMatchObject({ uses: 1, used: 1, cancelledAt: 8 })
})

test('several uses are counted by newcomer', () => {
  const { invites } = setUp(1, 2)
  expect(['ann', 'ann', 'bob', 'carl', 'bob'].map((name) => spendAs(invites, name))).toEqual([
    'welcome ann at 0',
    'welcome ann at 0',
    'welcome bob at 0',
    'spent',
    'welcome bob at 0',
  ])
})

test('unknown, expired and cancelled invites are refused, and nothing is signed', () => {
  const { invites } = setUp(2)
  expect(spendAs(invites, 'ann', 0, 7)).toBe('unknown')
  expect(spendAs(invites, 'ann', 1_000)).toBe('expired')
  expect([invites.cancel(Uint8Array.of(1), 3), invites.cancel(Uint8Array.of(1), 4)]).toEqual([true, false])
  expect(spendAs(invites, 'ann', 5, 1)).toBe('cancelled')
  expect(invites.list().map(({ used }) => used)).toEqual([0, 0])
})

test('an answer that cannot be signed uses nothing', () => {
  const { invites } = setUp()
  const failing = {
    invite: Uint8Array.of(0),
    newcomer: Buffer.from('ann'),
    redemption: new Uint8Array(),
    now: 0,
    answer: () => {
      throw new Error('no key')
    },
  }
  expect(() => invites.spend(failing)).toThrow('no key')
  expect(spendAs(invites, 'bob')).toBe('welcome bob at 0')
})

test('leaving a mesh and pruning remove its invites with their answers', () => {
  const { invites, database } = setUp(2)
  spendAs(invites, 'ann')
  invites.prune(1_001)
  expect(invites.list()).toEqual([])
  expect(database.prepare('SELECT count(*) AS n FROM redemptions').get()).toEqual({ n: 0 })
})

async function runChild(file: string, ...args: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'invite-child.ts'), file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return [...text.split('\n').slice(0, -1), `${code ?? signal}`]
}

test('killed inside the transaction: the use is free again', async () => {
  const { file, invites } = setUp()
  expect(await runChild(file, 'ann', '0', '0', 'signing')).toEqual(['SIGKILL'])
  expect(invites.find(Uint8Array.of(0))?.used).toBe(0)
  expect(spendAs(invites, 'bob', 1)).toBe('welcome bob at 1')
  expect(spendAs(invites, 'ann', 1)).toBe('spent')
})

test('killed after the commit, before the answer left: only the same newcomer gets it', async () => {
  const { file, invites } = setUp()
  expect(await runChild(file, 'ann', '0', '0', 'committed')).toEqual(['SIGKILL'])
  expect(spendAs(invites, 'bob', 1)).toBe('spent')
  expect(spendAs(invites, 'ann', 1)).toMatch(/^ann \d+ \d+$/)
})

test('two newcomers who race for a hundred invites get each once', async () => {
  const { file, invites } = setUp(100)
  const [ann = [], bob = []] = await Promise.all(
    ['ann', 'bob'].map((name) => runChild(file, name, '0', '99')),
  )
  expect([ann.pop(), bob.pop()]).toEqual(['0', '0'])
  const won = (lines: string[]): string[] => lines.filter((line) => line.includes(' answer '))
  expect(won(ann).length + won(bob).length).toBe(100)
  expect(new Set([...won(ann), ...won(bob)].map((line) => line.split(' ')[0])).size).toBe(100)
  expect(invites.list().every(({ used }) => used === 1)).toBe(true)
})
