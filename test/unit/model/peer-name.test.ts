import { expect, test } from 'vitest'
import { choosePeer } from '../../../src/model/peer-name.ts'

const peer = (peerId: string, name: string, connected = false) => ({ peerId, name, connected })

test('a device is found by id, by the end of its id, and by its name', () => {
  const peers = [peer('12D3KooWabcdef', 'laptop'), peer('12D3KooWfedcba', 'desk')]
  for (const text of ['12D3KooWabcdef', 'abcdef', 'laptop']) expect(choosePeer(text, peers)).toBe(peers[0])
})

test.each(['bcdef', 'nobody', ''])('"%s" is nobody', (text) => {
  const peers = [peer('12D3KooWabcdef', 'laptop')]
  expect(() => choosePeer(text, peers)).toThrow(`No device is known as "${text}".`)
})

test('of two devices with one name the one that is there is meant', () => {
  const peers = [peer('a', 'laptop'), peer('b', 'laptop', true)]
  expect(choosePeer('laptop', peers)).toBe(peers[1])
})

test('a device that is away for a moment does not lose its name to another', () => {
  const peers = [{ ...peer('a', 'laptop'), advert: {} }, peer('b', 'laptop', true)]
  expect(() => choosePeer('laptop', peers)).toThrow('2 devices are known as "laptop"')
})

test('a device cannot take the place of another by calling itself like the end of its id', () => {
  const peers = [peer('12D3KooWabcdef', 'laptop'), peer('12D3KooWzzzzzz', 'abcdef', true)]
  expect(choosePeer('abcdef', peers)).toBe(peers[0])
  expect(() => choosePeer('abcdef', [...peers, peer('other-abcdef', 'x', true)])).toThrow('2 devices')
})

test.each([
  [[peer('a', 'laptop'), peer('b', 'laptop')]],
  [[peer('a', 'laptop', true), peer('b', 'laptop', true)]],
])('of two alike none is chosen, and both are named', (peers) => {
  const error = {
    reason: 'ambiguous_peer',
    message: '2 devices are known as "laptop": a, b.',
    details: { peerIds: ['a', 'b'] },
  }
  expect(() => choosePeer('laptop', peers)).toThrow(expect.objectContaining(error) as Error)
  // One of them by its id.
  expect(choosePeer('b', peers)).toBe(peers[1])
})

test('of many alike a few are named', () => {
  const peers = Array.from({ length: 30 }, (_, index) => peer(`id-${index}`, 'pi'))
  expect(() => choosePeer('pi', peers)).toThrow('30 devices are known as "pi": id-0, id-1, id-2, id-3, ….')
})
