import { randomBytes } from 'node:crypto'
import type { DeviceMember, Membership, Memberships } from '../../identity/memberships.ts'
import { isRefusal, type Refusal } from '../../identity/refusals.ts'
import { hashWithDomain } from '../../identity/sealed.ts'
import { equalBytes, joinBytes } from '../../util/bytes.ts'
import type { Proof } from './codec.ts'
import { MAX_MESHES } from './constants.ts'

/** Why a device is no member of any mesh of ours, as far as it showed. */
export type StrangerReason = Refusal | 'no_common_mesh'

/** What a hello has found out. */
export type Standing =
  | { members: readonly DeviceMember[] }
  /** `told`: it is the other side that refused us. */
  | { stranger: StrangerReason; told?: true }

export function newNonce(): Uint8Array {
  return new Uint8Array(randomBytes(16))
}

/**
 * A tag says that its sender knows a mesh, to those only who know it too: the id of a mesh is nothing that
 * strangers should learn. Both nonces are in it, so that nobody can send one that it has heard.
 */
function tagOf(mesh: Membership, dialler: Uint8Array, answerer: Uint8Array): Uint8Array {
  return hashWithDomain('easynet/hello/1', joinBytes([mesh.meshId, dialler, answerer]))
}

/** One hello as both sides look at it: our meshes by their tags. */
export class Meeting {
  readonly #memberships: Memberships
  readonly #byTag: readonly { tag: Uint8Array; mesh: Membership }[]

  constructor(memberships: Memberships, dialler: Uint8Array, answerer: Uint8Array) {
    this.#memberships = memberships
    const meshes = memberships.list().slice(0, MAX_MESHES)
    this.#byTag = meshes.map((mesh) => ({ mesh, tag: tagOf(mesh, dialler, answerer) }))
  }

  get tags(): Uint8Array[] {
    return this.#byTag.map(({ tag }) => tag)
  }

  /** What we show for the meshes with these tags; nothing about ourselves when there is none. */
  prove(tags: readonly Uint8Array[]): Proof {
    return this.#show(({ tag }) => tags.some((other) => equalBytes(other, tag)))
  }

  /** What we show to who has proved something to us: its own meshes. A stranger learns why it is one. */
  answer(standing: Standing): Proof {
    if ('stranger' in standing) return { ...this.#show(() => false), refused: standing.stranger }
    return this.#show(({ mesh }) => standing.members.some(({ meshId }) => equalBytes(meshId, mesh.meshId)))
  }

  #show(isShared: (entry: { tag: Uint8Array; mesh: Membership }) => boolean): Proof {
    const shown = this.#byTag
      .filter(isShared)
      .map(({ mesh, tag }) => ({ tag, ...this.#memberships.credentials(mesh) }))
    return {
      device: shown[0]?.deviceCertificate ?? new Uint8Array(),
      meshes: shown.map(({ tag, chain }) => ({ tag, chain: [...chain] })),
    }
  }

  /** @param device - the key that the connection proved */
  check({ device: deviceCertificate, meshes, refused }: Proof, device: Uint8Array): Standing {
    if (refused !== undefined)
      return { stranger: isRefusal(refused) ? refused : 'no_common_mesh', told: true }
    let stranger: StrangerReason = 'no_common_mesh'
    const members: DeviceMember[] = []
    for (const { tag, chain } of meshes) {
      const ours = this.#byTag.find((candidate) => equalBytes(candidate.tag, tag))
      if (ours === undefined || members.some(({ meshId }) => equalBytes(meshId, ours.mesh.meshId))) continue
      const verified = this.#memberships.verify(ours.mesh, device, { deviceCertificate, chain })
      if (verified.ok) members.push(verified.value)
      else stranger = verified.reason
    }
    return members.length > 0 ? { members } : { stranger }
  }
}
