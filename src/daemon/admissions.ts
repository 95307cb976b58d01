import { EasyNetError } from '../errors/error.ts'
import type { DeviceMember } from '../identity/memberships.ts'
import type { Network } from '../network/network.ts'
import { publicKeyOf } from '../network/peer-id.ts'
import type { Introduction } from '../protocols/hello/client.ts'
import type { MemberStore } from '../storage/member-store.ts'
import type { Clock } from '../util/clock.ts'

/** A peer that has not proved a membership by then is disconnected. */
const HELLO_DEADLINE_MS = 10_000
/** Who was refused is not dialled again for so long. */
const REFUSED_MS = 60_000
const MAX_REFUSED = 1_024
/** `setTimeout` takes no more; then it is looked at again. */
const MAX_TIMER_MS = 2_147_483_647

export interface AdmissionsComponents {
  network: Pick<Network, 'admit' | 'refuse' | 'isConnected'>
  members: MemberStore
  clock: Clock
  /** A peer was refused or has lost its membership; its connections are being closed. */
  onRefused: (peerId: string, why: EasyNetError) => void
  onFailure: (error: unknown) => void
}

/** Which connected peers belong to a mesh of ours: the only place that decides about it. */
export interface Admissions extends Disposable {
  connected(peerId: string): void
  disconnected(peerId: string): void
  /** What a hello has found out. True when the peer was admitted. */
  introduced(peerId: string, introduction: Introduction): boolean
  /** What the peer has proved; none for strangers. */
  membersOf(peerId: string): readonly DeviceMember[]
  /** True when it was refused a short time ago: then there is no use in dialling it. */
  wasRefused(peerId: string): boolean
}

export function createAdmissions(components: AdmissionsComponents): Admissions {
  const { network, members, clock, onRefused, onFailure } = components
  const admitted = new Map<string, readonly DeviceMember[]>()
  const timers = new Map<string, NodeJS.Timeout>()
  const refusedAt = new Map<string, number>()

  const refuse = (peerId: string, reason: string, message: string): void => {
    admitted.delete(peerId)
    stopTimer(peerId)
    refusedAt.delete(peerId)
    refusedAt.set(peerId, clock.monotonic())
    for (const oldest of refusedAt.keys()) {
      if (refusedAt.size <= MAX_REFUSED) break
      refusedAt.delete(oldest)
    }
    const why = new EasyNetError('not_a_member', message, { details: { peerId, why: reason } })
    onRefused(peerId, why)
    network.refuse(peerId, why)
  }
  const stopTimer = (peerId: string): void => {
    clearTimeout(timers.get(peerId))
    timers.delete(peerId)
  }
  const startTimer = (peerId: string, delayMs: number, then: () => void): void => {
    stopTimer(peerId)
    timers.set(peerId, setTimeout(then, Math.min(delayMs, MAX_TIMER_MS)).unref())
  }
  /** The certificates of a peer end while it is connected. */
  const watchExpiry = (peerId: string, proved: readonly DeviceMember[]): void => {
    const expiresAt = Math.max(...proved.map((member) => member.expiresAt))
    startTimer(peerId, expiresAt - clock.now(), () => {
      if (clock.now() < expiresAt) watchExpiry(peerId, proved)
      else refuse(peerId, 'expired', 'The membership of the other device has expired.')
    })
  }

  return {
    connected(peerId) {
      if (admitted.has(peerId)) return
      startTimer(peerId, HELLO_DEADLINE_MS, () =>
        refuse(peerId, 'no_hello', `The other device proved no membership within ${HELLO_DEADLINE_MS} ms.`),
      )
    },
    disconnected(peerId) {
      stopTimer(peerId)
      admitted.delete(peerId)
      network.refuse(peerId, new EasyNetError('peer_unreachable', 'The connection was closed.'))
    },
    introduced(peerId, { hello, standing }) {
      if ('stranger' in standing) {
        const who = standing.told === true ? 'The other device refuses us' : 'The other device is refused'
        refuse(peerId, standing.stranger, `${who}: ${standing.stranger.replaceAll('_', ' ')}.`)
        return false
      }
      admitted.set(peerId, standing.members)
      network.admit(peerId)
      watchExpiry(peerId, standing.members)
      const device = publicKeyOf(peerId)
      for (const { meshId, owner, chain } of standing.members) {
        members.seen({ mesh: meshId, owner, device, name: hello.name, chain }, clock.now()).catch(onFailure)
      }
      return true
    },
    membersOf: (peerId) => admitted.get(peerId) ?? [],
    wasRefused: (peerId) => clock.monotonic() - (refusedAt.get(peerId) ?? -Infinity) < REFUSED_MS,
    [Symbol.dispose]() {
      for (const peerId of timers.keys()) stopTimer(peerId)
    },
  }
}
