/** Addresses in the order in which another device should try them: the local network first, this machine last. */
export function forOthers(addresses: readonly string[]): string[] {
  return [...addresses].sort((a, b) => rank(a) - rank(b))
}

function rank(address: string): number {
  const [, family = '', host = ''] = address.split('/')
  if (host.startsWith('127.') || host === '::1') return 3
  // An address that only holds on its own cable.
  if (host.startsWith('fe80:') || host.startsWith('169.254.')) return 2
  return family === 'ip4' ? 0 : 1
}
