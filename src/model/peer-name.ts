import { EasyNetError } from '../errors/error.ts'

/** As much of a peer as decides whether a text means it. */
export interface NamedPeer {
  peerId: string
  name: string
  connected: boolean
  /** What it offers now, when that is known: it may only be away for a moment. */
  advert?: unknown
}

/** End of a peer id that is long enough to name it. */
const MIN_ID_END = 6
/** Peer ids that an error lists. */
const SHOWN = 4

/**
 * The peer that `text` means: a peer id, the end of one (6 characters or more), or a name. A name is a claim,
 * so it never stands in for the end of an id, and of several devices of one name none is chosen while more
 * than one of them is there.
 *
 * @throws {@link EasyNetError} `unknown_peer` · `ambiguous_peer`
 */
export function choosePeer<T extends NamedPeer>(text: string, peers: readonly T[]): T {
  const exact = peers.find(({ peerId }) => peerId === text)
  if (exact !== undefined) return exact
  const byId = text.length < MIN_ID_END ? [] : peers.filter(({ peerId }) => peerId.endsWith(text))
  const meant = byId.length > 0 ? byId : peers.filter(({ name }) => name === text)
  // One that is gone for good leaves its name to another.
  const present = meant.filter((peer) => peer.connected || peer.advert !== undefined)
  const [chosen, ...others] = present.length === 1 && byId.length === 0 ? present : meant
  if (chosen === undefined) {
    throw new EasyNetError('unknown_peer', `No device is known as "${text.slice(0, 80)}".`, {
      hint: 'See the devices and their peer ids: easynet peer ls',
    })
  }
  if (others.length === 0) return chosen
  const peerIds = meant.slice(0, SHOWN).map(({ peerId }) => peerId)
  const more = meant.length > SHOWN ? ', …' : ''
  const message = `${meant.length} devices are known as "${text.slice(0, 80)}": ${peerIds.join(', ')}${more}.`
  throw new EasyNetError('ambiguous_peer', message, {
    hint: 'Use the peer id, or the end of it: easynet peer ls',
    details: { peerIds },
  })
}
