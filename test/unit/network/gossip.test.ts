import { TopicValidatorResult } from '@libp2p/gossipsub'
import { expect, test } from 'vitest'
import { createFloodScore } from '../../../src/network/flood-score.ts'
import { createGossip, gossipOptions } from '../../../src/network/gossip.ts'
import {
  FLOOD_HALF_LIFE_MS,
  FLOOD_MESSAGES,
  GOSSIP_MAX_MESSAGE_BYTES,
  GOSSIP_MESSAGE_BURST,
} from '../../../src/network/limits.ts'

function setUp() {
  const time = { now: 0 }
  const floods = createFloodScore({ now: () => 0, monotonic: () => time.now })
  const topicValidators = new Map<string, (peer: unknown, message: { data: Uint8Array }) => unknown>()
  const gossip = createGossip({ topicValidators, subscribe: () => undefined } as never, floods)
  const heard: Uint8Array[] = []
  gossip.onStart('t', (data) => {
    heard.push(data)
    return 'accept'
  })
  const receive = (from: string, bytes = 10): unknown =>
    topicValidators.get('t')?.({ toString: () => from }, { data: new Uint8Array(bytes) })
  return { floods, heard, receive, time }
}

test('one peer is listened to so often, and what is too much is not even looked at', () => {
  const { heard, receive } = setUp()
  for (let n = 0; n < GOSSIP_MESSAGE_BURST; n += 1) expect(receive('a')).toBe(TopicValidatorResult.Accept)
  expect(receive('a')).toBe(TopicValidatorResult.Ignore)
  expect(receive('b')).toBe(TopicValidatorResult.Accept)
  expect(heard.length).toBe(GOSSIP_MESSAGE_BURST + 1)
})

test('a message that is too long is refused', () => {
  const { receive } = setUp()
  expect(receive('a', GOSSIP_MAX_MESSAGE_BYTES)).toBe(TopicValidatorResult.Accept)
  expect(receive('a', GOSSIP_MAX_MESSAGE_BYTES + 1)).toBe(TopicValidatorResult.Reject)
})

test('who floods is not read any more, and is forgiven in time', () => {
  const { floods, receive, time } = setUp()
  const graylist = -80
  for (let n = 0; n < GOSSIP_MESSAGE_BURST + FLOOD_MESSAGES; n += 1) receive('a')
  expect(floods.scoreOf('a')).toBeGreaterThanOrEqual(graylist)
  receive('a')
  expect(floods.scoreOf('a')).toBeLessThan(graylist)
  expect(floods.scoreOf('b')).toBeCloseTo(0)
  time.now += 2 * FLOOD_HALF_LIFE_MS
  expect(floods.scoreOf('a')).toBeCloseTo(graylist / 4, 0)
})

test('the scores of gossip are of a kind that the library takes', () => {
  const { scoreParams } = gossipOptions(['t'], createFloodScore())
  const [topic] = Object.values(scoreParams?.topics ?? {})
  // Three forged messages are enough, two are not.
  const weight = topic?.invalidMessageDeliveriesWeight ?? 0
  expect([9 * weight, 4 * weight]).toEqual([-90, -40])
})
