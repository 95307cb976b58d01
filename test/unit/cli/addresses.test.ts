import { expect, test } from 'vitest'
import { forOthers } from '../../../src/cli/addresses.ts'

test('addresses of the local network come first, those of this machine last', () => {
  const given = [
    '/ip4/127.0.0.1/tcp/4677',
    '/ip6/::1/tcp/4677',
    '/ip6/fe80::1/tcp/4677',
    '/ip6/2001:db8::7/tcp/4677',
    '/ip4/192.168.1.7/tcp/4677',
  ]
  const hosts = forOthers(given).map((address) => address.split('/')[2])
  expect(hosts).toEqual(['192.168.1.7', '2001:db8::7', 'fe80::1', '127.0.0.1', '::1'])
})
