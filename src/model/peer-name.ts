import { EasyNetError } from '../errors/error.ts'

/** As much of a peer as decides whether a text means it. */
export interface NamedPeer {
  peerId: string
  name: string
  connected: boolean
}

/** End of a peer id that is long enough to name it. */
const MIN_ID_END = 6
/** Peer ids that an error lists. */
const SHOWN = 4

/**
 * The peer that `text` means: a peer id, the end of one (6 characters or more), or a name. Of several of
 * one name it is the one that is connected.
 *
 * @throws {@link EasyNetError} `unknown_peer` · `ambiguous_peer`
 */
export function choosePeer<T extends NamedPeer>(text: string, peers: readonly T[]): T {
  const exact = peers.find(({ peerId }) => peerId === text)
  if (exact !== undefined) return exact
  const meant = peers.filter(
    ({ name, peerId }) => name === text || (text.length >= MIN_ID_END && peerId.endsWith(text)),
  )
  const connected = meant.filter((peer) => peer.connected && peer.name === text)
  const [chosen, ...others] = connected.length === 1 ? connected : meant
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
