import { equalBytes } from '../util/bytes.ts'
import type { Role } from './fields.ts'
import { checkLifetime } from './lifetime.ts'
import { MEMBER, type MemberCertificate } from './member-certificate.ts'
import { type Authority, checkNarrowing, ROOT_AUTHORITY } from './narrowing.ts'
import { type Checked, checked, type Refusal, refused } from './refusals.ts'
import type { Revocations } from './revocations.ts'
import type { Roots } from './rotation.ts'
import { isSignedBy, readSealed } from './sealed.ts'

/** Member certificates from a root key to an owner; device certificates are not counted. */
export const MAX_CHAIN_LINKS = 3

/** What an owner may do in a mesh. */
export interface Member {
  meshId: Uint8Array
  owner: Uint8Array
  role: Role
  /** Function patterns that it may call. */
  can: readonly string[]
  creditMicrocredits: bigint
  /** Epoch ms, exclusive; infinite for a root key. */
  expiresAt: number
  /** Its own certificate; none for a root key. */
  certificate?: MemberCertificate
}

export interface ChainCheck {
  /** Epoch ms. */
  now: number
  revocations: Pick<Revocations, 'has'>
}

/**
 * What `owner` may do in the mesh of `roots`, by the certificates in `chain` (root first). Pure: the same
 * input has the same answer. The order of the checks is that of docs/spec/certificates.md.
 */
export function verifyChain(
  roots: Roots,
  owner: Uint8Array,
  chain: readonly Uint8Array[],
  { now, revocations }: ChainCheck,
): Checked<Member> {
  if (chain.length > MAX_CHAIN_LINKS) return refused('chain_too_long')
  const links: MemberCertificate[] = []
  for (const bytes of chain) {
    const read = readSealed(MEMBER, bytes)
    if (!read.ok) return read
    links.push(read.value)
  }
  const why =
    checkLinks(roots, owner, links, now) ??
    checkAuthority(links) ??
    links.map(({ content }) => checkLifetime(content, now)).find((reason) => reason !== undefined) ??
    checkRevoked(owner, links, revocations)
  if (why !== undefined) return refused(why)
  if (!links.every((link) => isSignedBy(MEMBER, link, link.content.iss))) return refused('bad_signature')
  return checked(memberOf(roots, owner, links))
}

/** That each was issued by the one before it, in this mesh, for nobody twice. */
function checkLinks(
  roots: Roots,
  owner: Uint8Array,
  links: readonly MemberCertificate[],
  now: number,
): Refusal | undefined {
  const [first] = links
  if (now >= rootUntil(roots, first?.content.iss ?? owner)) return 'unknown_root'
  for (const [index, { content }] of links.entries()) {
    const above = links[index - 1]
    if (!equalBytes(content.mesh, roots.meshId)) return 'wrong_mesh'
    if (above !== undefined && !equalBytes(content.iss, above.content.aud)) return 'wrong_issuer'
    const [proof] = content.prf
    const isProven =
      above === undefined ? proof === undefined : proof !== undefined && equalBytes(proof, above.id)
    if (!isProven) return 'wrong_proof'
  }
  const last = links.at(-1)
  if (last !== undefined && !equalBytes(last.content.aud, owner)) return 'wrong_subject'
  const keys = new Set(keysOf(links).map((key) => Buffer.from(key).toString('hex')))
  return keys.size === (links.length === 0 ? 0 : links.length + 1) ? undefined : 'cycle'
}

function checkAuthority(links: readonly MemberCertificate[]): Refusal | undefined {
  let issuer: Authority = ROOT_AUTHORITY
  for (const { content } of links) {
    const given = { ...content.att, nbf: content.nbf, exp: content.exp }
    const why = checkNarrowing(issuer, given)
    if (why !== undefined) return why
    issuer = given
  }
  return undefined
}

function checkRevoked(
  owner: Uint8Array,
  links: readonly MemberCertificate[],
  revocations: Pick<Revocations, 'has'>,
): Refusal | undefined {
  const named = [owner, ...keysOf(links), ...links.map(({ id }) => id)]
  return named.some((keyOrId) => revocations.has(keyOrId)) ? 'revoked' : undefined
}

/** The issuer of the first link, then everybody who was admitted. */
function keysOf(links: readonly MemberCertificate[]): Uint8Array[] {
  return links.flatMap(({ content }, index) => (index === 0 ? [content.iss, content.aud] : [content.aud]))
}

/** Until when what this key signed counts, epoch ms: for ever, until its rotation says, or not at all. */
function rootUntil(roots: Roots, key: Uint8Array): number {
  if (roots.keys.some((root) => equalBytes(root, key))) return Number.POSITIVE_INFINITY
  return (roots.former.find((former) => equalBytes(former.key, key))?.until ?? 0) * 1_000
}

function memberOf(roots: Roots, owner: Uint8Array, links: readonly MemberCertificate[]): Member {
  const certificate = links.at(-1)
  const { role, can, credit } = certificate?.content.att ?? ROOT_AUTHORITY
  const rootEndsAt = rootUntil(roots, links[0]?.content.iss ?? owner)
  return {
    meshId: roots.meshId,
    owner,
    role,
    can,
    creditMicrocredits: BigInt(credit),
    expiresAt: Math.min(rootEndsAt, (certificate?.content.exp ?? Number.POSITIVE_INFINITY) * 1_000),
    ...(certificate === undefined ? {} : { certificate }),
  }
}
