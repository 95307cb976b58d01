import { expect, test } from 'vitest'
import { chooseExcess } from '../../../src/network/crowd.ts'
import { hostOf, isPeerAddress } from '../../../src/network/hosts.ts'

const nobody = { kept: () => false, busy: () => false }
let at = 0
const from = (host: string, peerId: string, direction: 'inbound' | 'outbound' = 'inbound') => ({
  peerId,
  remoteAddr: `/ip4/${host}/tcp/1`,
  direction,
  openedAt: (at += 1),
})
const names = (chosen: { peerId: string }[]): string[] => chosen.map(({ peerId }) => peerId)

test('the host with most connections loses its newest', () => {
  const crowd = ['s1', 's2', 's3', 's4'].map((name) => from('10.0.0.9', name))
  const honest = [from('10.0.0.1', 'a'), from('10.0.0.2', 'b')]
  expect(names(chooseExcess([...crowd, ...honest], 4, nobody))).toEqual(['s4', 's3'])
  expect(chooseExcess([...crowd, ...honest], 6, nobody)).toEqual([])
})

test('hosts that have equally many share the loss: the newest goes', () => {
  const one = ['a', 'b', 'c'].map((name, index) => from(`10.0.0.${index}`, name))
  expect(names(chooseExcess(one, 2, nobody))).toEqual(['c'])
})

test('of one host those go first that have nothing running and that we did not dial', () => {
  const crowd = [from('10.0.0.9', 'idle'), from('10.0.0.9', 'busy'), from('10.0.0.9', 'ours', 'outbound')]
  const busy = { ...nobody, busy: (peerId: string) => peerId === 'busy' }
  expect(names(chooseExcess(crowd, 0, busy))).toEqual(['idle', 'busy', 'ours'])
})

test('peers that are kept go last, whatever host they share', () => {
  const crowd = [from('10.0.0.9', 'bootstrap'), from('10.0.0.9', 's1'), from('10.0.0.1', 'a')]
  const kept = { ...nobody, kept: (peerId: string) => peerId === 'bootstrap' }
  expect(names(chooseExcess(crowd, 1, kept))).toEqual(['a', 's1'])
  expect(names(chooseExcess(crowd, 0, kept))).toEqual(['a', 's1', 'bootstrap'])
})

test.each([
  ['/ip4/10.0.0.1/tcp/1', 'ip4/10.0.0.1'],
  ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', 'ip6/2001:db8:1:2'],
  ['/ip6/2001:db8:1:2::9/tcp/1', 'ip6/2001:db8:1:2'],
  ['/ip6/2001:0db8::1/tcp/1', 'ip6/2001:db8:0:0'],
  ['/ip6/::1/tcp/1', 'ip6/0:0:0:0'],
  ['/dns4/example.org/tcp/1', 'dns4/example.org'],
])('behind %s is %s', (address, host) => expect(hostOf(address)).toBe(host))

test.each([
  ['/ip4/10.0.0.1/tcp/4677', true],
  ['/ip6/::1/tcp/4677', true],
  ['/dns4/example.org/tcp/4677/p2p/12D3KooWabc', true],
  ['/unix/%2Fvar%2Frun%2Fdocker.sock', false],
  ['/dnsaddr/example.org', false],
  ['/ip4/10.0.0.1/tcp/1/ws', false],
  ['/ip4/10.0.0.1/tcp/1/p2p/12D3KooWabc/p2p-circuit', false],
  ['/ip4/10.0.0.1/udp/1/quic-v1', false],
])('an address of others: %s %s', (address, expected) => expect(isPeerAddress(address)).toBe(expected))
