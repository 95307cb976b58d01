import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allVectors } from '../../../scripts/vectors/all.ts'
import { verifyChain } from '../../../src/identity/chain.ts'
import { verifyDevice } from '../../../src/identity/device-certificate.ts'
import { type Genesis, readGenesis } from '../../../src/identity/genesis.ts'
import { oneTimeKey, readInvite } from '../../../src/identity/invite.ts'
import { decodeJoinLink } from '../../../src/identity/join-link.ts'
import { type Checked, REFUSALS } from '../../../src/identity/refusals.ts'
import { readRedemption } from '../../../src/identity/redemption.ts'
import { NOTHING_REVOKED, readRevocations } from '../../../src/identity/revocations.ts'
import { resolveRoots, type Roots } from '../../../src/identity/rotation.ts'
import { wordsOf } from '../../../src/identity/words.ts'

// The files are what another implementation is checked with, so they are read as one would read them.

const files: Record<string, unknown> = Object.fromEntries(
  Object.keys(allVectors()).map((name) => [
    name,
    JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors', `${name}.json`), 'utf8')) as unknown,
  ]),
)
interface Case {
  description: string
  bytes: string
  reason?: string
}
const unhex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
function must<T>(result: Checked<T>): T {
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
const rootsOf = (genesis: string): Roots => must(resolveRoots(must(readGenesis(unhex(genesis))), []))
/** The reason, or what `tell` makes of the value. */
const outcome = <T>(result: Checked<T>, tell: (value: T) => unknown): unknown =>
  result.ok ? tell(result.value) : { reason: result.reason }

test('the files are what `npm run vectors` writes', () => {
  expect(files).toEqual(JSON.parse(JSON.stringify(allVectors())))
})

test('every reason to refuse has a vector', () => {
  const text = JSON.stringify(files)
  expect(REFUSALS.filter((reason) => !text.includes(`"reason":"${reason}"`))).toEqual([])
})

const genesis = files['genesis'] as { cases: (Case & { meshId?: string })[] }
test.each(genesis.cases)('genesis: $description', ({ bytes, reason, meshId }) => {
  const found = outcome(readGenesis(unhex(bytes)), (value) => ({ meshId: hex(value.meshId) }))
  expect(found).toEqual(reason === undefined ? { meshId } : { reason })
})

const devices = files['devices'] as {
  now: number
  device: string
  cases: (Case & { owner?: string; revoked?: string[] })[]
}
test.each(devices.cases)('device: $description', ({ bytes, owner, revoked = [], reason }) => {
  const check = {
    device: unhex(devices.device),
    now: devices.now,
    revocations: { has: (id: Uint8Array) => revoked.includes(hex(id)) },
  }
  const found = outcome(verifyDevice(unhex(bytes), check), (value) => ({ owner: hex(value.owner) }))
  expect(found).toEqual(reason === undefined ? { owner } : { reason })
})

interface ChainCase {
  description: string
  now: number
  owner: string
  rotations: string[]
  revocations: string | null
  chain: string[]
  member?: object
  reason?: string
}
const chains = files['chains'] as { genesis: string; meshId: string; cases: ChainCase[] }
test.each(chains.cases)(
  'chain: $description',
  ({ now, owner, rotations, revocations, chain, member, reason }) => {
    const roots = must(resolveRoots(must(readGenesis(unhex(chains.genesis))), rotations.map(unhex)))
    const revoked = revocations === null ? NOTHING_REVOKED : must(readRevocations(roots, unhex(revocations)))
    const result = verifyChain(roots, unhex(owner), chain.map(unhex), { now, revocations: revoked })
    const found = outcome(result, ({ role, can, creditMicrocredits, expiresAt }) => ({
      role,
      can,
      credit: Number(creditMicrocredits),
      expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
    }))
    expect(found).toEqual(reason === undefined ? member : { reason })
  },
)

const revocations = files['revocations'] as {
  genesis: string
  cases: (Case & { version?: number; entries?: string[] })[]
}
test.each(revocations.cases)('revocations: $description', ({ bytes, version, entries, reason }) => {
  const result = readRevocations(rootsOf(revocations.genesis), unhex(bytes))
  const found = outcome(result, (value) => ({ version: value.version, entries: value.entries.map(hex) }))
  expect(found).toEqual(reason === undefined ? { version, entries } : { reason })
})

const rotations = files['rotations'] as {
  genesis: string
  cases: { description: string; rotations: string[]; keys?: string[]; reason?: string }[]
}
test.each(rotations.cases)('rotations: $description', ({ rotations: given, keys, reason }) => {
  const founded: Genesis = must(readGenesis(unhex(rotations.genesis)))
  const found = outcome(resolveRoots(founded, given.map(unhex)), (value) => ({ keys: value.keys.map(hex) }))
  expect(found).toEqual(reason === undefined ? { keys } : { reason })
})

const invites = files['invites'] as {
  genesis: string
  now: number
  inviter: string
  device: string
  newcomerDevice: string
  valid: { secret: string; invite: string; redemption: string; certificate: string; words: string[] }
  invites: Case[]
  redemptions: Case[]
}
const roots = rootsOf(invites.genesis)
const inviter = must(
  verifyChain(roots, unhex(invites.inviter), [], { now: invites.now, revocations: NOTHING_REVOKED }),
)
const invite = must(readInvite(inviter, unhex(invites.valid.invite), invites.now))
const proved = { invite, via: unhex(invites.device), device: unhex(invites.newcomerDevice) }

test('an invitation ends in a membership and the same four words on both sides', () => {
  const { secret, redemption, certificate, words } = invites.valid
  expect(invite.content.key).toEqual(oneTimeKey(unhex(secret)).publicKey)
  const asked = must(readRedemption(unhex(redemption), proved))
  const { aud } = asked.content
  const check = { now: invites.now, revocations: NOTHING_REVOKED }
  const member = must(verifyChain(roots, aud, [unhex(certificate)], check))
  expect(wordsOf(asked.id, member.certificate?.id ?? new Uint8Array())).toEqual(words)
})

test.each(invites.invites)('invite: $description', ({ bytes, reason }) => {
  expect(readInvite(inviter, unhex(bytes), invites.now)).toEqual({ ok: false, reason })
})

test.each(invites.redemptions)('redemption: $description', ({ bytes, reason }) => {
  expect(readRedemption(unhex(bytes), proved)).toEqual({ ok: false, reason })
})

const links = files['links'] as {
  meshId: string
  device: string
  secret: string
  valid: { link: string; addresses: string[] }[]
  invalid: { description: string; link: string }[]
}
test.each(links.valid)('link: $addresses', ({ link, addresses }) => {
  const { meshId, device, secret } = decodeJoinLink(link)
  expect({ meshId: hex(meshId), device: hex(device), secret: hex(secret) }).toEqual({
    meshId: links.meshId,
    device: links.device,
    secret: links.secret,
  })
  expect(decodeJoinLink(link).addresses).toEqual(addresses)
})

test.each(links.invalid)('link: $description', ({ link }) => {
  expect(() => decodeJoinLink(link)).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
})
