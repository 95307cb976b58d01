import type { GossipSub } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { GOSSIP_MAX_MESSAGE_BYTES } from './limits.ts'
import type { Gossip, Verdict } from './network.ts'

const RESULTS: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export function createGossip(pubsub: GossipSub): Gossip & { subscribeAll(): void } {
  const topics: string[] = []
  return {
    onStart(topic, receive) {
      pubsub.topicValidators.set(topic, (peer, message) => {
        if (message.data.length > GOSSIP_MAX_MESSAGE_BYTES) return TopicValidatorResult.Reject
        return RESULTS[receive(message.data, peer.toString())]
      })
      topics.push(topic)
    },
    subscribeAll() {
      for (const topic of topics) pubsub.subscribe(topic)
    },
    async publish(topic, data) {
      await pubsub.publish(topic, data)
    },
  }
}
