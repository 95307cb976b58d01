import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Member, verifyChain } from '../../../src/identity/chain.ts'
import { type Attenuation, ROLES } from '../../../src/identity/fields.ts'
import { createGenesis } from '../../../src/identity/genesis.ts'
import { admitMember, MEMBER, type MemberCertificate } from '../../../src/identity/member-certificate.ts'
import { NOTHING_REVOKED } from '../../../src/identity/revocations.ts'
import { resolveRoots, type Roots } from '../../../src/identity/rotation.ts'
import { readSealed } from '../../../src/identity/sealed.ts'
import { signingKeyFromSeed } from '../../../src/identity/signing-key.ts'
import { matchesPattern } from '../../../src/model/function-pattern.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const HOUR = 3_600_000
const keys = [1, 2, 3, 4, 5].map((fill) => signingKeyFromSeed(new Uint8Array(32).fill(fill)))
const [root, ann, bob] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]]
const roots = (() => {
  const owners = [{ key: root.publicKey, next: keys[4]?.publicKey ?? root.publicKey }]
  const resolved = resolveRoots(createGenesis({ name: 'mesh', owners }), [])
  return (resolved as { value: Roots }).value
})()
const at = (now: number) => ({ now, revocations: NOTHING_REVOKED })
const parsed = (bytes: Uint8Array): MemberCertificate =>
  (readSealed(MEMBER, bytes) as { value: MemberCertificate }).value

interface Step {
  attenuation: Attenuation
  days: number
}
/** A chain that gives what the steps say, whether that is allowed or not. */
function chainOf(steps: readonly Step[]): Uint8Array[] {
  const chain: Uint8Array[] = []
  for (const [index, { attenuation, days }] of steps.entries()) {
    const above = chain.at(-1)
    chain.push(
      admitMember(keys[index] as (typeof keys)[0], {
        meshId: roots.meshId,
        owner: (keys[index + 1] as (typeof keys)[0]).publicKey,
        attenuation,
        now: NOW,
        expiresAt: NOW + days * DAY,
        ...(above === undefined ? {} : { proof: parsed(above) }),
      }),
    )
  }
  return chain
}
const verifySteps = (steps: readonly Step[]) =>
  verifyChain(roots, (keys[steps.length] as (typeof keys)[0]).publicKey, chainOf(steps), at(NOW))

const pattern = fc.constantFrom('*', 'a*', 'a.*', 'a.b', 'a.b*', 'a.bc', 'b*', 'b')
const step = fc.record({
  attenuation: fc.record({
    role: fc.constantFrom(...ROLES),
    can: fc.array(pattern, { maxLength: 3 }),
    credit: fc.integer({ min: 0, max: 3 }),
  }),
  days: fc.integer({ min: 1, max: 4 }),
})
const NAMES = ['a', 'ax', 'a.b', 'a.bc', 'a.c', 'b', 'c', '_']
const calls = ({ can }: Pick<Member, 'can'>): string[] =>
  NAMES.filter((name) => can.some((one) => matchesPattern(one, name)))

test('a link never gives more than the one above it: role, functions, credit, time', () => {
  let allowed = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 3 }), (steps) => {
      const below = verifySteps(steps)
      if (!below.ok) return
      allowed += 1
      const above = verifySteps(steps.slice(0, -1))
      if (!above.ok) throw new Error(`the links above alone are refused: ${above.reason}`)
      const [given, has] = [below.value, above.value]
      expect(ROLES.indexOf(given.role)).toBeLessThanOrEqual(ROLES.indexOf(has.role))
      expect(calls(has)).toEqual(expect.arrayContaining(calls(given)))
      expect(given.creditMicrocredits).toBeLessThanOrEqual(has.creditMicrocredits)
      expect(given.expiresAt).toBeLessThanOrEqual(has.expiresAt)
    }),
    { numRuns: 2_000 },
  )
  expect(allowed).toBeGreaterThan(50)
})

test('10,000 links are refused before one of them is read', () => {
  // Reading the first would say `malformed`, and checking 10,000 signatures takes seconds.
  const junk = Array.from({ length: 10_000 }, () => Uint8Array.of(0xff))
  expect(verifyChain(roots, ann.publicKey, junk, at(NOW))).toEqual({ ok: false, reason: 'chain_too_long' })
})

test('any changed byte of a chain is refused', () => {
  const member = { role: 'member', can: ['a.*', 'b'], credit: 1_000 } as const
  const guest = { role: 'guest', can: ['a.b'], credit: 1 } as const
  const chain = chainOf([
    { attenuation: { ...member, can: [...member.can] }, days: 3 },
    { attenuation: { ...guest, can: [...guest.can] }, days: 2 },
  ])
  expect(verifyChain(roots, bob.publicKey, chain, at(NOW)).ok).toBe(true)
  for (const [index, link] of chain.entries()) {
    for (let position = 0; position < link.length; position += 1) {
      for (const change of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Uint8Array.from(link)
        changed[position] = (changed[position] as number) ^ change
        const result = verifyChain(roots, bob.publicKey, chain.with(index, changed), at(NOW))
        if (result.ok) throw new Error(`byte ${position} of link ${index} may be changed by ${change}`)
      }
    }
  }
})

test('arbitrary bytes are refused without an error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 3 }), (chain) => {
      expect(verifyChain(roots, ann.publicKey, chain, at(NOW)).ok).toBe(false)
    }),
  )
})

test('a clock that is an hour off does not lock anybody out; expiry is exact', () => {
  const attenuation: Attenuation = { role: 'member', can: ['*'], credit: 0 }
  const chain = chainOf([{ attenuation, days: 30 }])
  const reasonAt = (now: number): string => {
    const result = verifyChain(roots, ann.publicKey, chain, at(now))
    return result.ok ? 'ok' : result.reason
  }
  expect([NOW - HOUR, NOW, NOW + HOUR].map(reasonAt)).toEqual(['ok', 'ok', 'ok'])
  expect(reasonAt(NOW - HOUR - 1)).toBe('not_yet_valid')
  expect([NOW + 30 * DAY - 1, NOW + 30 * DAY].map(reasonAt)).toEqual(['ok', 'expired'])
})

test('a device or a signature of another kind of key proves nothing', () => {
  const attenuation: Attenuation = { role: 'member', can: ['*'], credit: 0 }
  const [link = new Uint8Array()] = chainOf([{ attenuation, days: 30 }])
  // An X25519 or P-256 key is 32 bytes or more as well; what counts is that Ed25519 verifies.
  const wrong = { ...root, sign: () => new Uint8Array(64).fill(1) }
  const forged = admitMember(wrong, {
    meshId: roots.meshId,
    owner: ann.publicKey,
    attenuation,
    now: NOW,
    expiresAt: NOW + DAY,
  })
  expect(verifyChain(roots, ann.publicKey, [forged], at(NOW))).toEqual({ ok: false, reason: 'bad_signature' })
  expect(verifyChain(roots, ann.publicKey, [link], at(NOW)).ok).toBe(true)
})
