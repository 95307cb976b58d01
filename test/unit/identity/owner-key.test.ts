import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportBackup, importBackup } from '../../../src/identity/key-backup.ts'
import { createOwnerKey, loadOwnerKey } from '../../../src/identity/owner-key.ts'
import { tempDir } from '../storage/temp-dir.ts'

/** As little work as is allowed, so that the tests are quick. */
const CHEAP = { log2N: 14, r: 8, p: 1 }
const genesis = [Uint8Array.of(1, 2, 3)]

test('the first start makes an owner key and its successor, mode 0600; the next one finds both', () => {
  const file = join(tempDir(), 'state', 'owner.key')
  const made = loadOwnerKey(file)
  expect(made.key.publicKey).not.toEqual(made.next.publicKey)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const found = loadOwnerKey(file)
  expect([found.key.seed, found.next.seed]).toEqual([made.key.seed, made.next.seed])
})

test('a file with one key, or readable by others, is refused and left as it is', () => {
  const file = join(tempDir(), 'state', 'owner.key')
  loadOwnerKey(file)
  const half = readFileSync(file, 'utf8').split('-----END PRIVATE KEY-----\n')[0] ?? ''
  writeFileSync(file, `${half}-----END PRIVATE KEY-----\n`)
  expect(() => loadOwnerKey(file)).toThrow(expect.objectContaining({ reason: 'storage_failed' }))
  chmodSync(file, 0o644)
  expect(() => loadOwnerKey(file)).toThrow(expect.objectContaining({ reason: 'unsafe_permissions' }))
})

test('an exported key comes back with its passphrase, in either Unicode form', () => {
  const owner = createOwnerKey()
  const text = exportBackup({ owner, genesis }, 'caf\u00e9', CHEAP)
  const back = importBackup(`a note before\r\n${text.replaceAll('\n', '\r\n')}`, 'cafe\u0301')
  expect([back.owner.key.seed, back.owner.next.seed]).toEqual([owner.key.seed, owner.next.seed])
  expect(back.genesis).toEqual(genesis)
})

test('the file shows neither the seeds nor anything twice', () => {
  const owner = createOwnerKey()
  const texts = [1, 2].map(() => exportBackup({ owner, genesis }, 'x', CHEAP))
  expect(texts[0]).not.toBe(texts[1])
  const bytes = Buffer.from((texts[0] ?? '').replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  for (const seed of [owner.key.seed, owner.next.seed]) expect(bytes.includes(seed)).toBe(false)
})

test('a wrong passphrase and any changed byte are refused', () => {
  const text = exportBackup({ owner: createOwnerKey(), genesis }, 'right', CHEAP)
  expect(() => importBackup(text, 'wrong')).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
  const lines = text.split('\n')
  const bytes = Buffer.from(lines.slice(1, -2).join(''), 'base64')
  for (const at of [0, 4, 8, 20, 30, 40, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ 1
    const damaged = [lines[0], changed.toString('base64'), lines.at(-2)].join('\n')
    expect(() => importBackup(damaged, 'right')).toThrow(
      expect.objectContaining({ reason: 'invalid_request' }),
    )
  }
})

const COSTS = [
  [31, 8, 1],
  [19, 8, 1],
  [13, 8, 1],
  [17, 255, 1],
  [17, 8, 255],
  [17, 0, 1],
  [17, 8, 0],
]
test.each(COSTS)(
  'a header that asks for scrypt 2^%i, r %i, p %i is refused before anything is computed',
  (...cost) => {
    const text = exportBackup({ owner: createOwnerKey(), genesis }, 'x', CHEAP)
    const lines = text.split('\n')
    const bytes = Buffer.from(lines.slice(1, -2).join(''), 'base64')
    bytes.set(cost, 5)
    const greedy = [lines[0], bytes.toString('base64'), lines.at(-2)].join('\n')
    expect(() => importBackup(greedy, 'x')).toThrow(
      expect.objectContaining({
        reason: 'invalid_request',
        message: expect.stringContaining('outside the limits'),
      }),
    )
  },
)

test('what is no exported key is refused', () => {
  for (const text of [
    '',
    'hello',
    '-----BEGIN EASYNET OWNER KEY-----\nAAAA\n-----END EASYNET OWNER KEY-----',
    'A'.repeat(100_000),
  ]) {
    expect(() => importBackup(text, 'x')).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
  }
})
