import { createGenesis, type Genesis } from '../../src/identity/genesis.ts'
import { createRevocations } from '../../src/identity/revocations.ts'
import { createRotation } from '../../src/identity/rotation.ts'
import type { SigningKey } from '../../src/identity/signing-key.ts'
import { bytes16, bytes32, DAY_S, forge, hex, idOf, keyOf, NOW, NOW_S } from './forge.ts'

// Chains of member certificates, valid ones and one for each reason to refuse.

const DOMAIN = 'easynet/member/1'
const [root, next, ann, bob, carl, dora] = ['root', 'next', 'ann', 'bob', 'carl', 'dora'].map(keyOf) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
]
const genesis: Genesis = createGenesis({
  name: 'vectors',
  owners: [{ key: root.publicKey, next: next.publicKey }],
  nonce: bytes16(1),
})

interface Link {
  content: Record<string, unknown>
  bytes: Uint8Array
}

/** A link by `issuer` for `to`, under `above`; `changes` replace fields. */
function link(
  issuer: SigningKey,
  to: SigningKey,
  above: Link | undefined,
  changes: Record<string, unknown> = {},
  signer = issuer,
): Link {
  const content = {
    iss: issuer.publicKey,
    aud: to.publicKey,
    mesh: genesis.meshId,
    att: { role: 'member', can: ['*'], credit: 600_000_000 },
    nbf: NOW_S - 3_600,
    exp: NOW_S + 20 * DAY_S,
    nnc: bytes16(2),
    prf: above === undefined ? [] : [idOf(DOMAIN, above.content)],
    ...changes,
  }
  return { content, bytes: forge(DOMAIN, content, signer) }
}

const owner = { att: { role: 'owner', can: ['*'], credit: 600_000_000 } }
const guest = { att: { role: 'guest', can: ['llm.*'], credit: 1_000_000 }, exp: NOW_S + 7 * DAY_S }
const toAnn = link(root, ann, undefined, owner)
const toBob = link(ann, bob, toAnn)
const toCarl = link(bob, carl, toBob, guest)
const toDora = link(carl, dora, toCarl, guest)

interface ChainCase {
  description: string
  owner: SigningKey
  chain: readonly Uint8Array[]
  now?: number
  revoked?: readonly Uint8Array[]
  rotations?: readonly Uint8Array[]
  /** What a valid one gives. */
  member?: { role: string; can: string[]; credit: number; expiresAt: number | null }
  /** Why an invalid one is refused. */
  reason?: string
}

const all = { role: 'owner', can: ['*'], credit: Number.MAX_SAFE_INTEGER, expiresAt: null }
const plain = { role: 'member', can: ['*'], credit: 600_000_000, expiresAt: NOW + 20 * DAY_S * 1_000 }
const rotation = (oldUntil: number): Uint8Array =>
  createRotation({
    meshId: genesis.meshId,
    slot: 0,
    seq: 1,
    key: next,
    next: keyOf('after next').publicKey,
    oldUntil,
  })
const one = (changes: Record<string, unknown>): Uint8Array[] => [link(root, bob, undefined, changes).bytes]
/** Bob's guest Carl, changed. */
const two = (changes: Record<string, unknown>): Uint8Array[] => {
  const above = link(root, bob, undefined, {
    att: { role: 'member', can: ['llm.*', 'text.upper'], credit: 5 },
  })
  const att = { role: 'guest', can: ['llm.chat'], credit: 5 }
  return [above.bytes, link(bob, carl, above, { att, ...changes }).bytes]
}
const guestWith = (can: string[], credit = 5): Uint8Array[] => two({ att: { role: 'guest', can, credit } })
const nonCanonical = (): Uint8Array => {
  // The list's head as 0x98 0x02 where 0x82 is enough.
  const [, ...rest] = toAnn.bytes
  return Uint8Array.of(0x98, 0x02, ...rest)
}

export const chains: ChainCase[] = [
  { description: 'a root key needs no certificate', owner: root, chain: [], member: all },
  { description: 'a member, admitted by a root key', owner: bob, chain: one({}), member: plain },
  {
    description: 'root, owner, member, guest: three links',
    owner: carl,
    chain: [toAnn.bytes, toBob.bytes, toCarl.bytes],
    member: { role: 'guest', can: ['llm.*'], credit: 1_000_000, expiresAt: NOW + 7 * DAY_S * 1_000 },
  },
  {
    description: 'facts have no authority',
    owner: bob,
    chain: one({ fct: { note: 'from a newer version', more: [1, null, true] } }),
    member: plain,
  },
  {
    description: 'patterns within those above',
    owner: carl,
    chain: guestWith(['llm.*', 'llm.chat', 'llm.a*', 'text.upper']),
    member: {
      role: 'guest',
      can: ['llm.*', 'llm.chat', 'llm.a*', 'text.upper'],
      credit: 5,
      expiresAt: plain.expiresAt,
    },
  },
  {
    description: 'the last moment before the end',
    owner: bob,
    chain: one({}),
    now: plain.expiresAt - 1,
    member: plain,
  },
  { description: 'the first moment', owner: bob, chain: one({}), now: NOW - 3_600_000, member: plain },
  {
    description: 'a certificate of a rotated-out key, while that key still counts',
    owner: bob,
    chain: one({}),
    rotations: [rotation(NOW + 60_000)],
    member: { ...plain, expiresAt: NOW + 60_000 },
  },
  {
    description: 'the successor is a root key',
    owner: next,
    chain: [],
    rotations: [rotation(0)],
    member: all,
  },

  { description: 'not a root key, no certificate', owner: bob, chain: [], reason: 'unknown_root' },
  {
    description: 'a certificate of a stolen key that was rotated out',
    owner: bob,
    chain: one({}),
    rotations: [rotation(0)],
    reason: 'unknown_root',
  },
  {
    description: 'admitted by somebody who is no root key',
    owner: bob,
    chain: [link(ann, bob, undefined).bytes],
    reason: 'unknown_root',
  },
  {
    description: 'four links',
    owner: dora,
    chain: [toAnn, toBob, toCarl, toDora].map(({ bytes }) => bytes),
    reason: 'chain_too_long',
  },
  {
    description: 'four links are refused before they are looked at',
    owner: dora,
    chain: [0, 1, 2, 3].map((byte) => Uint8Array.of(byte)),
    reason: 'chain_too_long',
  },
  { description: 'no CBOR', owner: bob, chain: [Uint8Array.of(0xff)], reason: 'malformed' },
  { description: 'empty', owner: bob, chain: [Uint8Array.of()], reason: 'malformed' },
  { description: 'more than 2,048 bytes', owner: bob, chain: [new Uint8Array(2_049)], reason: 'too_large' },
  { description: 'a longer form of a length', owner: ann, chain: [nonCanonical()], reason: 'not_canonical' },
  {
    description: 'bytes after the end',
    owner: ann,
    chain: [Uint8Array.of(...toAnn.bytes, 0)],
    reason: 'malformed',
  },
  { description: 'a missing field', owner: bob, chain: one({ nnc: undefined }), reason: 'malformed' },
  {
    description: 'a role that does not exist',
    owner: bob,
    chain: one({ att: { role: 'king', can: [], credit: 0 } }),
    reason: 'malformed',
  },
  {
    description: 'a fraction of a second',
    owner: bob,
    chain: one({ exp: NOW_S + 0.5 }),
    reason: 'malformed',
  },
  {
    description: 'a star in the middle',
    owner: bob,
    chain: one({ att: { role: 'member', can: ['a*b'], credit: 0 } }),
    reason: 'malformed',
  },
  {
    description: 'seventeen patterns',
    owner: bob,
    chain: one({ att: { role: 'member', can: Array.from({ length: 17 }, (_, n) => `f${n}`), credit: 0 } }),
    reason: 'malformed',
  },
  {
    description: 'a field of a newer version',
    owner: bob,
    chain: one({ onlyOn: 'weekdays' }),
    reason: 'unknown_field',
  },
  {
    description: 'a field of a newer version inside att',
    owner: bob,
    chain: one({ att: { role: 'member', can: ['*'], credit: 0, hours: 8 } }),
    reason: 'unknown_field',
  },
  {
    description: 'a key of small order',
    owner: bob,
    chain: one({ iss: Uint8Array.of(1, ...new Uint8Array(31)) }),
    reason: 'bad_key',
  },
  {
    description: 'a key in an encoding that is not the shortest (y = p + 3)',
    owner: bob,
    chain: one({ aud: Uint8Array.of(0xf0, ...new Uint8Array(30).fill(255), 0x7f) }),
    reason: 'bad_key',
  },
  {
    description: 'a key of 31 bytes',
    owner: bob,
    chain: one({ aud: new Uint8Array(31).fill(9) }),
    reason: 'bad_key',
  },
  {
    description: 'signed by somebody else',
    owner: bob,
    chain: [link(root, bob, undefined, {}, carl).bytes],
    reason: 'bad_signature',
  },
  {
    description: 'signed for another purpose',
    owner: bob,
    chain: [forge('easynet/device/1', link(root, bob, undefined).content, root)],
    reason: 'bad_signature',
  },
  { description: 'of another mesh', owner: bob, chain: one({ mesh: bytes32(7) }), reason: 'wrong_mesh' },
  { description: 'of somebody else', owner: carl, chain: one({}), reason: 'wrong_subject' },
  {
    description: 'a gap between two links',
    owner: carl,
    chain: [toAnn.bytes, link(bob, carl, toAnn, guest).bytes],
    reason: 'wrong_issuer',
  },
  {
    description: 'proved by another certificate of the same issuer',
    owner: carl,
    chain: [toAnn.bytes, toBob.bytes, link(bob, carl, toAnn, guest).bytes],
    reason: 'wrong_proof',
  },
  {
    description: 'no proof where one is needed',
    owner: carl,
    chain: two({ prf: [] }),
    reason: 'wrong_proof',
  },
  {
    description: 'a proof where none can be',
    owner: bob,
    chain: one({ prf: [bytes32(3)] }),
    reason: 'wrong_proof',
  },
  {
    description: 'somebody admits itself',
    owner: root,
    chain: [link(root, root, undefined).bytes],
    reason: 'cycle',
  },
  {
    description: 'back to where it came from',
    owner: ann,
    chain: [toAnn.bytes, toBob.bytes, link(bob, ann, toBob, guest).bytes],
    reason: 'cycle',
  },
  {
    description: 'a member makes an owner',
    owner: carl,
    chain: two({ att: { role: 'owner', can: [], credit: 0 } }),
    reason: 'role_widened',
  },
  {
    description: 'a member admits a member',
    owner: carl,
    chain: two({ att: { role: 'member', can: [], credit: 0 } }),
    reason: 'may_not_admit',
  },
  {
    description: 'a guest admits a guest',
    owner: dora,
    chain: (() => {
      const above = link(root, carl, undefined, guest)
      return [above.bytes, link(carl, dora, above, guest).bytes]
    })(),
    reason: 'may_not_admit',
  },
  {
    description: 'all functions, where some were given',
    owner: carl,
    chain: guestWith(['*']),
    reason: 'caps_widened',
  },
  { description: 'a shorter beginning', owner: carl, chain: guestWith(['ll*']), reason: 'caps_widened' },
  {
    description: 'a beginning, where one name was given',
    owner: carl,
    chain: guestWith(['text.upper*']),
    reason: 'caps_widened',
  },
  {
    description: 'another name',
    owner: carl,
    chain: guestWith(['llm.chat', 'text.lower']),
    reason: 'caps_widened',
  },
  { description: 'more credit', owner: carl, chain: guestWith([], 6), reason: 'credit_widened' },
  {
    description: 'longer than its issuer',
    owner: carl,
    chain: two({ exp: NOW_S + 20 * DAY_S + 1 }),
    reason: 'time_widened',
  },
  {
    description: 'earlier than its issuer',
    owner: carl,
    chain: two({ nbf: NOW_S - 3_601 }),
    reason: 'time_widened',
  },
  {
    description: '31 days and a second',
    owner: bob,
    chain: one({ nbf: NOW_S, exp: NOW_S + 31 * DAY_S + 1 }),
    reason: 'lifetime_too_long',
  },
  {
    description: 'the moment of its end',
    owner: bob,
    chain: one({}),
    now: plain.expiresAt,
    reason: 'expired',
  },
  {
    description: 'a millisecond too early',
    owner: bob,
    chain: one({}),
    now: NOW - 3_600_001,
    reason: 'not_yet_valid',
  },
  { description: 'a revoked owner', owner: bob, chain: one({}), revoked: [bob.publicKey], reason: 'revoked' },
  {
    description: 'admitted by a revoked owner',
    owner: carl,
    chain: [toAnn.bytes, toBob.bytes, toCarl.bytes],
    revoked: [ann.publicKey],
    reason: 'revoked',
  },
  {
    description: 'a revoked certificate',
    owner: carl,
    chain: [toAnn.bytes, toBob.bytes, toCarl.bytes],
    revoked: [idOf(DOMAIN, toBob.content)],
    reason: 'revoked',
  },
]

/** As they stand in `test/vectors/chains.json`. */
export function chainVectors(): unknown {
  return {
    genesis: hex(genesis.bytes),
    meshId: hex(genesis.meshId),
    cases: chains.map(({ description, owner, chain, now, revoked, rotations, member, reason }) => ({
      description,
      now: now ?? NOW,
      owner: hex(owner.publicKey),
      rotations: (rotations ?? []).map(hex),
      revocations:
        revoked === undefined
          ? null
          : hex(createRevocations(root, { meshId: genesis.meshId, version: 1, entries: revoked })),
      chain: chain.map(hex),
      ...(reason === undefined ? { member } : { reason }),
    })),
  }
}
