import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Attenuation, attenuation, bytesOf, facts, publicKey, uint } from './fields.ts'
import { lifetimeUntil } from './lifetime.ts'
import { type Kind, type Sealed, seal, type Signer } from './sealed.ts'

const schema = z.strictObject({
  iss: publicKey,
  aud: publicKey,
  mesh: bytesOf(32),
  att: attenuation,
  nbf: uint,
  exp: uint,
  nnc: bytesOf(16),
  /** Id of the certificate that allows `iss` to admit; none when `iss` is a root key. */
  prf: z.array(bytesOf(32)).max(1),
  fct: facts,
})

export const MEMBER: Kind<z.output<typeof schema>> = {
  domain: 'easynet/member/1',
  maxBytes: 2_048,
  schema,
}
export type MemberCertificate = Sealed<z.output<typeof schema>>

export interface AdmitInit {
  meshId: Uint8Array
  /** Owner key of who is admitted. */
  owner: Uint8Array
  attenuation: Attenuation
  /** Epoch ms; not after that of the issuer's own certificate. */
  expiresAt: number
  /** Epoch ms. */
  now: number
  /** The issuer's own certificate; none for a root key. */
  proof?: MemberCertificate
  /** 16 bytes. @default random */
  nonce?: Uint8Array
}

/** Signs a member certificate. That it narrows what the issuer has is for `verifyChain` to say. */
export function admitMember(issuer: Signer & { publicKey: Uint8Array }, init: AdmitInit): Uint8Array {
  const { nbf, exp } = lifetimeUntil(init.expiresAt, init.now)
  return seal(
    MEMBER,
    {
      iss: issuer.publicKey,
      aud: init.owner,
      mesh: init.meshId,
      att: init.attenuation,
      // A young issuer cannot date back beyond its own beginning.
      nbf: Math.max(nbf, init.proof?.content.nbf ?? 0),
      exp,
      nnc: init.nonce ?? new Uint8Array(randomBytes(16)),
      prf: init.proof === undefined ? [] : [init.proof.id],
    },
    issuer,
  )
}
