import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Member, verifyChain } from '../../../src/identity/chain.ts'
import { certifyDevice, verifyDevice } from '../../../src/identity/device-certificate.ts'
import { createGenesis } from '../../../src/identity/genesis.ts'
import { createInvite, type Invite, oneTimeKey, readInvite } from '../../../src/identity/invite.ts'
import { countersign, inviteKeyOf, readRedemption, redeem } from '../../../src/identity/redemption.ts'
import type { Checked } from '../../../src/identity/refusals.ts'
import {
  createRevocations,
  MAX_REVOKED,
  NOTHING_REVOKED,
  readRevocations,
  type Revocations,
  supersedes,
} from '../../../src/identity/revocations.ts'
import { resolveRoots } from '../../../src/identity/rotation.ts'
import { generateSigningKey } from '../../../src/identity/signing-key.ts'

// What we issue passes our own checks, with what may differ from device to device.

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
function must<T>(result: Checked<T>): T {
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
const [root, owner, device, newcomer, newcomerDevice] = Array.from({ length: 5 }, generateSigningKey) as [
  ReturnType<typeof generateSigningKey>,
  ReturnType<typeof generateSigningKey>,
  ReturnType<typeof generateSigningKey>,
  ReturnType<typeof generateSigningKey>,
  ReturnType<typeof generateSigningKey>,
]
const roots = must(
  resolveRoots(createGenesis({ name: 'm', owners: [{ key: root.publicKey, next: owner.publicKey }] }), []),
)
const { meshId } = roots
const check = (now: number) => ({ now, revocations: NOTHING_REVOKED })

/** Invites `newcomer` in the name of `inviter` and returns what it becomes. */
function invited(
  inviter: Member,
  key: typeof root,
  above: Uint8Array[],
  role: 'member' | 'guest',
): { member: Member; chain: Uint8Array[]; invite: Invite } {
  const oneTime = oneTimeKey(new Uint8Array(16).fill(1))
  const bytes = createInvite(key, {
    meshId,
    key: oneTime.publicKey,
    attenuation: { role, can: ['llm.*'], credit: 5 },
    uses: 1,
    expiresAt: NOW + DAY,
    membershipMs: 30 * DAY,
  })
  const invite = must(readInvite(inviter, bytes, NOW))
  const asked = redeem({
    oneTime,
    meshId,
    via: device.publicKey,
    owner: newcomer,
    device: newcomerDevice.publicKey,
  })
  expect(inviteKeyOf(asked)).toEqual(invite.content.key)
  const proved = { invite, via: device.publicKey, device: newcomerDevice.publicKey }
  const redemption = must(readRedemption(asked, proved))
  const chain = [...above, countersign(key, { inviter, invite, redemption, now: NOW })]
  return { member: must(verifyChain(roots, newcomer.publicKey, chain, check(NOW))), chain, invite }
}

test('a member who was invited invites a guest: 30 days, then 7, and never beyond the member itself', () => {
  const inviter = must(verifyChain(roots, root.publicKey, [], check(NOW)))
  const first = invited(inviter, root, [], 'member')
  expect(first.member).toMatchObject({ role: 'member', can: ['llm.*'], creditMicrocredits: 5n })
  expect(first.member.expiresAt).toBe(NOW + 30 * DAY)
  const guest = generateSigningKey()
  const oneTime = oneTimeKey(new Uint8Array(16).fill(2))
  const bytes = createInvite(newcomer, {
    meshId,
    key: oneTime.publicKey,
    attenuation: { role: 'guest', can: ['llm.chat'], credit: 5 },
    uses: 1,
    expiresAt: NOW + 40 * DAY,
    membershipMs: 30 * DAY,
  })
  const later = NOW + 25 * DAY
  const invite = must(readInvite(first.member, bytes, later))
  const asked = redeem({
    oneTime,
    meshId,
    via: newcomerDevice.publicKey,
    owner: guest,
    device: device.publicKey,
  })
  const proved = { invite, via: newcomerDevice.publicKey, device: device.publicKey }
  const redemption = must(readRedemption(asked, proved))
  const chain = [
    ...first.chain,
    countersign(newcomer, { inviter: first.member, invite, redemption, now: later }),
  ]
  const member = must(verifyChain(roots, guest.publicKey, chain, check(later)))
  expect(member.expiresAt).toBe(first.member.expiresAt)
})

test('nobody invites to more than it has', () => {
  const inviter = must(verifyChain(roots, root.publicKey, [], check(NOW)))
  const { member } = invited(inviter, root, [], 'member')
  const reasonOf = (attenuation: Parameters<typeof createInvite>[1]['attenuation']): string => {
    const key = generateSigningKey().publicKey
    const init = { meshId, key, attenuation, uses: 1, expiresAt: NOW + DAY, membershipMs: DAY }
    const read = readInvite(member, createInvite(newcomer, init), NOW)
    return read.ok ? 'ok' : read.reason
  }
  expect(reasonOf({ role: 'guest', can: ['llm.a'], credit: 5 })).toBe('ok')
  expect(reasonOf({ role: 'member', can: [], credit: 0 })).toBe('may_not_admit')
  expect(reasonOf({ role: 'guest', can: ['*'], credit: 0 })).toBe('caps_widened')
  expect(reasonOf({ role: 'guest', can: [], credit: 6 })).toBe('credit_widened')
})

test('a device certificate is good for its device, and any changed byte of it is refused', () => {
  const bytes = certifyDevice(owner, { device: device.publicKey, expiresAt: NOW + 30 * DAY, now: NOW })
  const asked = { device: device.publicKey, ...check(NOW) }
  expect(must(verifyDevice(bytes, asked))).toMatchObject({
    owner: owner.publicKey,
    expiresAt: NOW + 30 * DAY,
    renewAt: NOW + 15 * DAY - 1_800_000,
  })
  for (const at of bytes.keys()) {
    const changed = bytes.with(at, (bytes[at] as number) ^ 0x10)
    if (verifyDevice(changed, asked).ok) throw new Error(`byte ${at} may be changed`)
  }
})

const versions = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 })), {
  minLength: 1,
  maxLength: 6,
})
const newest = (sets: readonly Revocations[]): Revocations | undefined =>
  sets.reduce<Revocations | undefined>((best, set) => (supersedes(set, best) ? set : best), undefined)

test('in whatever order revocations come, the same set wins: the highest version', () => {
  fc.assert(
    fc.property(versions, (drawn) => {
      const sets = drawn.map(([version, fill]) => {
        const entries = [new Uint8Array(32).fill(fill)]
        return must(readRevocations(roots, createRevocations(root, { meshId, version, entries })))
      })
      const won = newest(sets)
      expect(won?.version).toBe(Math.max(...drawn.map(([version]) => version)))
      expect(newest(sets.toReversed())?.id).toEqual(won?.id)
      if (won !== undefined) expect(supersedes(won, won)).toBe(false)
    }),
  )
})

test('the largest set of revocations can be read, a larger one cannot be made', () => {
  const entries = Array.from({ length: MAX_REVOKED + 1 }, (_, n) => {
    const entry = new Uint8Array(32)
    new DataView(entry.buffer).setUint32(0, n)
    return entry
  })
  const full = createRevocations(root, { meshId, version: 1, entries: entries.slice(1) })
  expect(must(readRevocations(roots, full)).has(entries[MAX_REVOKED] as Uint8Array)).toBe(true)
  expect(() => createRevocations(root, { meshId, version: 1, entries })).toThrow(TypeError)
})
