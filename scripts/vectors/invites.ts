import { verifyChain } from '../../src/identity/chain.ts'
import { createGenesis } from '../../src/identity/genesis.ts'
import { oneTimeKey, readInvite } from '../../src/identity/invite.ts'
import { countersign, readRedemption, redeem } from '../../src/identity/redemption.ts'
import type { Checked } from '../../src/identity/refusals.ts'
import { NOTHING_REVOKED } from '../../src/identity/revocations.ts'
import { resolveRoots } from '../../src/identity/rotation.ts'
import { wordsOf } from '../../src/identity/words.ts'
import { bytes16, bytes32, DAY_S, forge, hex, idOf, keyOf, NOW, NOW_S } from './forge.ts'

// An invitation from the inviter to the four words, and what is refused on the way.

const root = keyOf('root')
const device = keyOf('device')
const newcomer = keyOf('newcomer')
const newcomerDevice = keyOf('newcomer device')
const oneTime = oneTimeKey(bytes16(7))
const genesis = createGenesis({
  name: 'vectors',
  owners: [{ key: root.publicKey, next: keyOf('next').publicKey }],
  nonce: bytes16(1),
})
const { meshId } = genesis
const content = {
  iss: root.publicKey,
  mesh: meshId,
  key: oneTime.publicKey,
  att: { role: 'member', can: ['*'], credit: 600_000_000 },
  uses: 1,
  exp: NOW_S + DAY_S,
  ttl: 30 * DAY_S,
}
const domain = 'easynet/redemption/1'
const asked = {
  inv: oneTime.publicKey,
  mesh: meshId,
  aud: newcomer.publicKey,
  dev: newcomerDevice.publicKey,
  via: device.publicKey,
}

export function inviteVectors(): unknown {
  const bytes = (changes: Record<string, unknown>, signer = root): string =>
    hex(forge('easynet/invite/1', { ...content, ...changes }, signer))
  const request = (changes: Record<string, unknown>, first = oneTime, second = newcomer): string =>
    hex(forge(domain, { ...asked, ...changes }, first, second))
  return {
    genesis: hex(genesis.bytes),
    now: NOW,
    inviter: hex(root.publicKey),
    device: hex(device.publicKey),
    newcomerDevice: hex(newcomerDevice.publicKey),
    valid: answered(bytes({})),
    invites: [
      { description: 'over', bytes: bytes({ exp: NOW_S }), reason: 'expired' },
      { description: 'no uses', bytes: bytes({ uses: 0 }), reason: 'malformed' },
      { description: '101 uses', bytes: bytes({ uses: 101 }), reason: 'malformed' },
      { description: 'longer than 30 days', bytes: bytes({ ttl: 30 * DAY_S + 1 }), reason: 'malformed' },
      { description: 'of another mesh', bytes: bytes({ mesh: bytes32(9) }), reason: 'wrong_mesh' },
      {
        description: 'by somebody else',
        bytes: bytes({ iss: device.publicKey }, device),
        reason: 'wrong_issuer',
      },
      { description: 'forged', bytes: bytes({}, device), reason: 'bad_signature' },
    ],
    redemptions: [
      { description: 'without the link', bytes: request({}, device), reason: 'bad_signature' },
      {
        description: 'for the key of somebody else',
        bytes: request({}, oneTime, device),
        reason: 'bad_signature',
      },
      {
        description: 'of another invite',
        bytes: request({ inv: device.publicKey }, device),
        reason: 'wrong_proof',
      },
      {
        description: 'for another inviter',
        bytes: request({ via: root.publicKey }),
        reason: 'wrong_subject',
      },
      {
        description: 'over the connection of somebody else',
        bytes: request({ dev: root.publicKey }),
        reason: 'wrong_subject',
      },
      { description: 'of another mesh', bytes: request({ mesh: bytes32(9) }), reason: 'wrong_mesh' },
      { description: 'one signature', bytes: hex(forge(domain, asked, oneTime)), reason: 'malformed' },
    ],
  }
}

/** Ed25519 is deterministic, and the certificate's nonce comes from the redemption: the same every time. */
function answered(inviteHex: string): unknown {
  const roots = must(resolveRoots(genesis, []))
  const inviter = must(verifyChain(roots, root.publicKey, [], { now: NOW, revocations: NOTHING_REVOKED }))
  const invite = must(readInvite(inviter, Buffer.from(inviteHex, 'hex'), NOW))
  const asking = redeem({
    oneTime,
    meshId,
    via: device.publicKey,
    owner: newcomer,
    device: newcomerDevice.publicKey,
  })
  const proved = { invite, via: device.publicKey, device: newcomerDevice.publicKey }
  const redemption = must(readRedemption(asking, proved))
  const certificate = countersign(root, { inviter, invite, redemption, now: NOW })
  const chain = must(
    verifyChain(roots, newcomer.publicKey, [certificate], { now: NOW, revocations: NOTHING_REVOKED }),
  )
  return {
    secret: hex(bytes16(7)),
    invite: inviteHex,
    redemption: hex(asking),
    certificate: hex(certificate),
    words: wordsOf(idOf(domain, asked), chain.certificate?.id ?? new Uint8Array()),
  }
}

function must<T>(result: Checked<T>): T {
  if (result.ok) return result.value
  throw new Error(`a vector that has to be valid is refused: ${result.reason}`)
}
