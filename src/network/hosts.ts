import { isIPv6 } from 'node:net'

const PREFIX_GROUPS = 4
/** A host and a TCP port. */
const PEER_ADDRESS = /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+(?:\/p2p\/\w+)?$/

/**
 * True for an address that others may name as theirs. libp2p would also connect to sockets of this device
 * (`/unix/…`), and look up text records of any domain (`/dnsaddr/…`).
 */
export function isPeerAddress(address: string): boolean {
  return PEER_ADDRESS.test(address)
}

/**
 * Who stands behind an address, as far as it can be told: an IPv4 address, or the first 64 bits of an IPv6
 * address, all of which one host can use.
 */
export function hostOf(address: string): string {
  const [, protocol, host = ''] = address.split('/')
  return protocol === 'ip6' && isIPv6(host) ? prefixOf(host) : `${protocol}/${host}`
}

function prefixOf(host: string): string {
  const [head = '', tail] = host.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  const groups = tail === undefined ? before : [...before, ...zeros, ...after]
  const prefix = groups.slice(0, PREFIX_GROUPS).map((group) => Number.parseInt(group, 16).toString(16))
  return `ip6/${prefix.join(':')}`
}

/** The items of the groups that have most, in their order. */
export function ofLargestGroups<T>(items: Iterable<T>, groupOf: (item: T) => string): T[] {
  const all = [...items]
  const sizes = new Map<string, number>()
  for (const item of all) sizes.set(groupOf(item), (sizes.get(groupOf(item)) ?? 0) + 1)
  const most = Math.max(0, ...sizes.values())
  return all.filter((item) => sizes.get(groupOf(item)) === most)
}
