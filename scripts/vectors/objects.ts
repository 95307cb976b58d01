import { createGenesis } from '../../src/identity/genesis.ts'
import { createRevocations } from '../../src/identity/revocations.ts'
import { createRotation } from '../../src/identity/rotation.ts'
import { oneTimeKey } from '../../src/identity/invite.ts'
import { encodeJoinLink } from '../../src/identity/join-link.ts'
import { encodeCbor } from '../../src/util/cbor.ts'
import { bytes16, bytes32, DAY_S, forge, hex, keyOf, NOW, NOW_S } from './forge.ts'

// One list of cases for each object that is not a chain.

const root = keyOf('root')
const next = keyOf('next')
const device = keyOf('device')
const genesis = createGenesis({
  name: 'vectors',
  owners: [{ key: root.publicKey, next: next.publicKey }],
  nonce: bytes16(1),
})
const { meshId } = genesis

export function genesisVectors(): unknown {
  const content = {
    name: 'vectors',
    own: [{ key: root.publicKey, nxt: bytes32(5) }],
    pol: { open: false },
    nnc: bytes16(1),
  }
  const bytes = (changes: Record<string, unknown>): string => hex(encodeCbor({ ...content, ...changes }))
  const nine = Array.from({ length: 9 }, (_, n) => ({ key: keyOf(`${n}`).publicKey, nxt: bytes32(5) }))
  return {
    cases: [
      { description: 'one root key', bytes: hex(genesis.bytes), meshId: hex(meshId) },
      { description: 'no root key', bytes: bytes({ own: [] }), reason: 'malformed' },
      { description: 'nine root keys', bytes: bytes({ own: nine }), reason: 'malformed' },
      { description: 'a line break in the name', bytes: bytes({ name: 'a\nb' }), reason: 'malformed' },
      { description: 'a name of 65 characters', bytes: bytes({ name: 'x'.repeat(65) }), reason: 'malformed' },
      {
        description: 'a rule of a newer version',
        bytes: bytes({ pol: { open: false, x: 1 } }),
        reason: 'unknown_field',
      },
      {
        description: 'a root key of small order',
        bytes: bytes({ own: [{ key: new Uint8Array(32), nxt: bytes32(5) }] }),
        reason: 'bad_key',
      },
      { description: '1,025 bytes', bytes: hex(new Uint8Array(1_025)), reason: 'too_large' },
    ],
  }
}

export function deviceVectors(): unknown {
  const domain = 'easynet/device/1'
  const content = {
    iss: root.publicKey,
    aud: device.publicKey,
    nbf: NOW_S - 3_600,
    exp: NOW_S + DAY_S,
    nnc: bytes16(3),
  }
  const valid = hex(forge(domain, content, root))
  const bytes = (changes: Record<string, unknown>, signer = root): string =>
    hex(forge(domain, { ...content, ...changes }, signer))
  return {
    now: NOW,
    device: hex(device.publicKey),
    cases: [
      { description: 'of this device', bytes: valid, owner: hex(root.publicKey) },
      {
        description: 'a newer version noted something',
        bytes: bytes({ fct: { model: 'x' } }),
        owner: hex(root.publicKey),
      },
      { description: 'of another device', bytes: bytes({ aud: next.publicKey }), reason: 'wrong_subject' },
      { description: 'expired', bytes: bytes({ exp: NOW_S }), reason: 'expired' },
      { description: 'not yet valid', bytes: bytes({ nbf: NOW_S + 1 }), reason: 'not_yet_valid' },
      { description: 'too long', bytes: bytes({ exp: NOW_S + 32 * DAY_S }), reason: 'lifetime_too_long' },
      { description: 'signed by the device itself', bytes: bytes({}, device), reason: 'bad_signature' },
      {
        description: 'a device that is its own owner',
        bytes: bytes({ iss: device.publicKey }, device),
        reason: 'cycle',
      },
      {
        description: 'restricted by a newer version',
        bytes: bytes({ only: 'relay' }),
        reason: 'unknown_field',
      },
      {
        description: 'the device was revoked',
        bytes: valid,
        revoked: [hex(device.publicKey)],
        reason: 'revoked',
      },
      {
        description: 'its owner was revoked',
        bytes: valid,
        revoked: [hex(root.publicKey)],
        reason: 'revoked',
      },
      {
        description: 'two signatures',
        bytes: hex(forge(domain, content, root, device)),
        reason: 'malformed',
      },
    ],
  }
}

export function revocationVectors(): unknown {
  const domain = 'easynet/revocations/1'
  const content = { iss: root.publicKey, mesh: meshId, ver: 3, rev: [bytes32(1), bytes32(2)] }
  const bytes = (changes: Record<string, unknown>, signer = root): string =>
    hex(forge(domain, { ...content, ...changes }, signer))
  const valid = createRevocations(root, { meshId, version: 3, entries: [bytes32(2), bytes32(1), bytes32(2)] })
  return {
    genesis: hex(genesis.bytes),
    cases: [
      {
        description: 'sorted, each once',
        bytes: hex(valid),
        version: 3,
        entries: [bytes32(1), bytes32(2)].map(hex),
      },
      { description: 'nothing is revoked', bytes: bytes({ rev: [] }), version: 3, entries: [] },
      { description: 'not sorted', bytes: bytes({ rev: [bytes32(2), bytes32(1)] }), reason: 'malformed' },
      {
        description: 'one entry twice',
        bytes: bytes({ rev: [bytes32(2), bytes32(2)] }),
        reason: 'malformed',
      },
      { description: 'version 0', bytes: bytes({ ver: 0 }), reason: 'malformed' },
      { description: 'of another mesh', bytes: bytes({ mesh: bytes32(9) }), reason: 'wrong_mesh' },
      {
        description: 'by somebody else',
        bytes: bytes({ iss: device.publicKey }, device),
        reason: 'unknown_root',
      },
      { description: 'in the name of a root key', bytes: bytes({}, device), reason: 'bad_signature' },
    ],
  }
}

export function rotationVectors(): unknown {
  const after = keyOf('after next')
  const init = { meshId, slot: 0, seq: 1, key: next, next: after.publicKey, oldUntil: NOW }
  const rotate = (changes: Partial<typeof init>): string => hex(createRotation({ ...init, ...changes }))
  const content = { iss: next.publicKey, mesh: meshId, slot: 0, seq: 1, nxt: bytes32(5), old: 0 }
  const second = rotate({ seq: 2, key: after, next: device.publicKey })
  return {
    genesis: hex(genesis.bytes),
    cases: [
      { description: 'none', rotations: [], keys: [hex(root.publicKey)] },
      { description: 'one', rotations: [rotate({})], keys: [hex(next.publicKey)] },
      { description: 'two', rotations: [rotate({}), second], keys: [hex(after.publicKey)] },
      {
        description: 'a key that was not announced',
        rotations: [rotate({ key: device })],
        reason: 'wrong_issuer',
      },
      { description: 'a gap', rotations: [rotate({ seq: 2 })], reason: 'wrong_proof' },
      { description: 'the same one twice', rotations: [rotate({}), rotate({})], reason: 'wrong_proof' },
      { description: 'no such place', rotations: [rotate({ slot: 1 })], reason: 'wrong_proof' },
      { description: 'of another mesh', rotations: [rotate({ meshId: bytes32(9) })], reason: 'wrong_mesh' },
      {
        description: 'signed by the old key',
        rotations: [hex(forge('easynet/rotation/1', content, root))],
        reason: 'bad_signature',
      },
      { description: '65', rotations: Array.from({ length: 65 }, () => '00'), reason: 'chain_too_long' },
    ],
  }
}

export function linkVectors(): unknown {
  const secret = bytes16(7)
  const link = (addresses: string[]): string =>
    encodeJoinLink({ meshId, device: device.publicKey, secret, addresses })
  const several = ['/ip4/192.168.1.20/tcp/4677', '/ip6/fe80::1/tcp/4677', '/dns/home.example/tcp/443']
  const whole = link(several)
  const damaged = `${whole.slice(0, 60)}${whole[60] === 'A' ? 'B' : 'A'}${whole.slice(61)}`
  return {
    meshId: hex(meshId),
    device: hex(device.publicKey),
    secret: hex(secret),
    oneTimeKey: hex(oneTimeKey(secret).publicKey),
    valid: [
      { link: link(['/ip4/192.168.1.20/tcp/4677']), addresses: ['/ip4/192.168.1.20/tcp/4677'] },
      { link: whole, addresses: several },
      { link: link(['/ip4/1.2.3.4/udp/5/quic-v1']), addresses: ['/ip4/1.2.3.4/udp/5/quic-v1'] },
    ],
    invalid: [
      { description: 'cut', link: whole.slice(0, -1) },
      { description: 'one character changed', link: damaged },
      { description: 'another scheme', link: whole.replace('easynet:', 'https:') },
      { description: 'empty', link: 'easynet://join/' },
      { description: 'too long', link: `${whole}${'A'.repeat(300)}` },
    ],
  }
}
