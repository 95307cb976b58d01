import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor } from '../../../src/cli/bugreport/redact.ts'

const OTHER = `12D3KooW${'b'.repeat(44)}`
const NEW = `12D3KooW${'c'.repeat(44)}`
const redact = createRedactor({
  known: new Map([
    [OTHER, '<peer-1>'],
    ["Ada's laptop", '<peer-1>'],
    ['desk', '<self>'],
  ]),
  homeDir: '/home/ada',
})

test.each([
  ['an id that is known', `to ${OTHER} failed`, 'to <peer-1> failed'],
  ['a name, also inside a text', "Ada's laptop said no", '<peer-1> said no'],
  ['a name only where it is a word', 'desktop', 'desktop'],
  ['a multiaddr', '/ip4/192.0.2.7/tcp/4677', '/ip4/<address>/tcp/4677'],
  ['a host name', '/dns4/ada.example/tcp/1', '/dns4/<address>/tcp/1'],
  ['an address in an error', 'connect ECONNREFUSED 192.0.2.7:80', 'connect ECONNREFUSED <address>:80'],
  ['IPv6', 'from 2001:db8::7 and fe80::1', 'from <address> and <address>'],
  ['a token', `token ${'a1'.repeat(32)}`, 'token <hex>'],
  ['a key', '-----BEGIN EASYNET OWNER KEY-----\nc2VjcmV0\n-----END EASYNET OWNER KEY-----', '<secret>'],
  ['an invitation', 'join with easynet://join/q2Vtand here', 'join with <secret> here'],
  ['a header', 'Authorization: Bearer abc.def', 'Authorization: Bearer <secret>'],
  ['the folder of the user', '/home/ada/.config/easynet', '~/.config/easynet'],
])('%s is replaced', (_, text, expected) => {
  expect(redact(text)).toBe(expected)
})

test.each(['127.0.0.1:7677', '/ip4/0.0.0.0/tcp/4677', '[::1]:80', '2026-11-22T12:30:00.000Z', 'at 12:30:00'])(
  '%s tells nothing about anybody and stays',
  (text) => {
    expect(redact(text)).toBe(text)
  },
)

test('an id that is new gets one word everywhere, and secrets are found by their key', () => {
  const word = redact(NEW) as string
  expect(word).toMatch(/^<peer-\d+>$/)
  const line = {
    peer: NEW,
    token: 'short',
    apiToken: 'x',
    name: 'Bob',
    [NEW]: [`/p2p/${NEW}`],
    n: 1,
    none: null,
  }
  expect(redact(line)).toEqual({
    peer: word,
    token: '<secret>',
    apiToken: '<secret>',
    name: '<name>',
    [word]: [`/p2p/${word}`],
    n: 1,
    none: null,
  })
})

test('whatever surrounds them, ids and addresses are gone', () => {
  const secrets = [OTHER, NEW, '192.0.2.7', 'f'.repeat(64), "Ada's laptop"]
  fc.assert(
    fc.property(
      fc.constantFrom(...secrets),
      fc.constantFrom(' ', '"', '/', ',', '(', '\n', '='),
      (secret, mark) => {
        expect(redact(`a${mark}${secret}${mark}b`)).not.toContain(secret)
      },
    ),
  )
})

test('any name is found, whatever characters it has', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 3, unit: 'binary' }), (name) => {
      const byName = createRedactor({ known: new Map([[name, '<peer-1>']]), homeDir: '/' })
      expect(byName(`( ${name} )`)).toBe('( <peer-1> )')
    }),
    // Compiling a pattern with classes of Unicode takes 30 ms.
    { numRuns: 25 },
  )
})
