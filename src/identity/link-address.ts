import { isIPv4, isIPv6, SocketAddress } from 'node:net'

// Addresses in a link, short. Only the end of a multiaddr that we can say in fewer bytes is taken apart;
// what we do not know is kept as text.

const TEXT = 0
const DNS = 1
const IPV4 = 4
const IPV6 = 6
const MAX_TEXT_BYTES = 120
const TCP = /^\/(ip4|ip6|dns4|dns6|dns|dnsaddr)\/([^/]+)\/tcp\/(\d{1,5})$/
const PEER = /\/p2p\/[^/]+$/

/** Undefined when it is too long for any link. @param multiaddr - a `/p2p/…` at its end is left out */
export function encodeAddress(multiaddr: string): Uint8Array | undefined {
  const address = multiaddr.replace(PEER, '')
  const [, family, host = '', digits] = TCP.exec(address) ?? []
  const port = Number(digits)
  if (family === 'ip4' && isIPv4(host) && port <= 65_535) {
    return Uint8Array.of(IPV4, ...host.split('.').map(Number), ...u16(port))
  }
  if (family === 'ip6' && isIPv6(host) && !host.includes('%') && port <= 65_535) {
    return Uint8Array.of(IPV6, ...ipv6Bytes(host), ...u16(port))
  }
  if (family === 'dns' && port <= 65_535) return withLength(DNS, host, u16(port))
  return withLength(TEXT, address, [])
}

/** The address at the beginning of `bytes`, and how many they were; undefined when there is none. */
export function decodeAddress(bytes: Uint8Array): { address: string; bytes: number } | undefined {
  const [kind, length = 0] = bytes
  const portAt = (at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  if (kind === IPV4 && bytes.length >= 7) {
    return { address: `/ip4/${bytes.subarray(1, 5).join('.')}/tcp/${portAt(5)}`, bytes: 7 }
  }
  if (kind === IPV6 && bytes.length >= 19) {
    return { address: `/ip6/${ipv6Text(bytes.subarray(1, 17))}/tcp/${portAt(17)}`, bytes: 19 }
  }
  const isText = (kind === DNS || kind === TEXT) && length > 0 && length <= MAX_TEXT_BYTES
  const end = 2 + length
  if (!isText || bytes.length < end + (kind === DNS ? 2 : 0)) return undefined
  const text = Buffer.from(bytes.subarray(2, end)).toString('utf8')
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined
  if (kind === DNS) return { address: `/dns/${text}/tcp/${portAt(end)}`, bytes: end + 2 }
  return { address: text, bytes: end }
}

function withLength(kind: number, text: string, rest: readonly number[]): Uint8Array | undefined {
  const bytes = Buffer.from(text)
  const fits = /^[\x21-\x7e]+$/.test(text) && bytes.length <= MAX_TEXT_BYTES
  return fits ? Uint8Array.of(kind, bytes.length, ...bytes, ...rest) : undefined
}

function u16(port: number): [number, number] {
  return [port >> 8, port & 0xff]
}

function ipv6Bytes(host: string): number[] {
  // Node writes any form as groups of hexadecimal digits with one `::`.
  const { address } = new SocketAddress({ address: host, family: 'ipv6' })
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const text =
    dotted === null ? address : address.replace(dotted[0], groupsOfIpv4(dotted.slice(1).map(Number)))
  const [head = '', tail] = text.split('::')
  const groups = (part: string | undefined): string[] =>
    (part ?? '').split(':').filter((group) => group !== '')
  const [left, right] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].flatMap((group) => u16(Number.parseInt(group, 16)))
}

function groupsOfIpv4([a = 0, b = 0, c = 0, d = 0]: number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] as number) << 8) | (bytes[2 * index + 1] as number)).toString(16),
  )
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}
