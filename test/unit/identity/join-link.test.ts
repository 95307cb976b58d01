import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJoinLink, encodeJoinLink, MAX_LINK_CHARS } from '../../../src/identity/join-link.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const port = fc.integer({ min: 0, max: 65_535 })
const host = fc.stringMatching(/^[a-z0-9.-]{1,120}$/, { size: 'max' })
const address = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([ip, at]) => `/ip4/${ip}/tcp/${at}`),
  fc.tuple(fc.ipV6(), port).map(([ip, at]) => `/ip6/${ip}/tcp/${at}`),
  fc.tuple(host, port).map(([name, at]) => `/dns/${name}/tcp/${at}`),
  fc.stringMatching(/^\/ip4\/1\.2\.3\.4\/udp\/1\/[a-z0-9/]{1,80}$/, { size: 'max' }),
)
const link = fc.record({
  meshId: bytes(32),
  device: bytes(32),
  secret: bytes(16),
  addresses: fc.array(address, { minLength: 1, maxLength: 5 }),
})

test('a link has at most 300 characters, whatever the addresses, and leads back to the same', () => {
  const lengths: number[] = []
  fc.assert(
    fc.property(link, (given) => {
      const text = encodeJoinLink(given)
      lengths.push(text.length)
      expect(text.length).toBeLessThanOrEqual(MAX_LINK_CHARS)
      expect(text).toMatch(/^easynet:\/\/join\/[A-Za-z0-9_-]+$/)
      const read = decodeJoinLink(text)
      expect({ ...read, addresses: [] }).toEqual({ ...given, addresses: [] })
      expect(read.addresses.length).toBeGreaterThanOrEqual(1)
      expect(encodeJoinLink(read)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
  // The property was tried at the limit, too.
  expect(Math.max(...lengths)).toBeGreaterThan(MAX_LINK_CHARS - 4)
})

test('the longest of each kind of address fits', () => {
  const name = 'a'.repeat(120)
  for (const longest of [`/dns/${name}/tcp/65535`, `/${'b'.repeat(119)}`]) {
    const fixed = { meshId: new Uint8Array(32), device: new Uint8Array(32), secret: new Uint8Array(16) }
    expect(decodeJoinLink(encodeJoinLink({ ...fixed, addresses: [longest] })).addresses).toEqual([longest])
  }
})

test('addresses in any spelling come back in the usual one, without the peer id', () => {
  const fixed = { meshId: new Uint8Array(32), device: new Uint8Array(32), secret: new Uint8Array(16) }
  const addresses = [
    '/ip6/2001:DB8:0:0::1/tcp/1/p2p/12D3KooWexample',
    '/ip6/::ffff:1.2.3.4/tcp/2',
    '/ip6/::/tcp/3',
  ]
  expect(decodeJoinLink(encodeJoinLink({ ...fixed, addresses })).addresses).toEqual([
    '/ip6/2001:db8::1/tcp/1',
    '/ip6/::ffff:1.2.3.4/tcp/2',
    '/ip6/::/tcp/3',
  ])
})

test('arbitrary text is refused, and the message never repeats it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `easynet://join/${text}`),
      ),
      (text) => {
        try {
          decodeJoinLink(text)
          throw new Error('it was taken')
        } catch (error) {
          expect(error).toMatchObject({ reason: 'invalid_request' })
          const secret = text.slice('easynet://join/'.length)
          if (secret.length > 8) expect((error as Error).message).not.toContain(secret)
        }
      },
    ),
  )
})

test('a device without an address that fits cannot invite', () => {
  const fixed = { meshId: new Uint8Array(32), device: new Uint8Array(32), secret: new Uint8Array(16) }
  for (const addresses of [[], [`/${'x'.repeat(200)}`]]) {
    expect(() => encodeJoinLink({ ...fixed, addresses })).toThrow(
      expect.objectContaining({ reason: 'invalid_request' }),
    )
  }
})
