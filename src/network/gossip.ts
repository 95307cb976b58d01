import type { GossipSub, GossipsubOpts } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import { systemClock } from '../util/clock.ts'
import { createRateLimit } from '../util/rate-limit.ts'
import type { FloodScore } from './flood-score.ts'
import * as limits from './limits.ts'
import type { Gossip, Verdict } from './network.ts'

const RESULTS: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** How gossipsub is set; the reasons are in docs/adr/0002-libp2p-settings.md. */
export function gossipOptions(topics: readonly string[], floods: FloodScore): Partial<GossipsubOpts> {
  const topic = {
    topicWeight: 1,
    // A peer that stays earns a little; what it delivers is no merit, since anybody can sign anything.
    timeInMeshWeight: 0.01,
    timeInMeshQuantum: 1_000,
    timeInMeshCap: 300,
    firstMessageDeliveriesWeight: 0,
    // A mesh in which nothing happens is no offence: the defaults expect 10 messages per second.
    meshMessageDeliveriesWeight: 0,
    meshFailurePenaltyWeight: 0,
    // Forged and malformed messages: no honest peer passes one on. The third is one too many.
    invalidMessageDeliveriesWeight: -10,
    invalidMessageDeliveriesDecay: 0.98,
  }
  return {
    // What is published has a signature of its own, and a rate limit that comes before it is checked.
    globalSignaturePolicy: 'StrictNoSign',
    allowedTopics: [...topics],
    scoreParams: {
      // Daemons that share an address (one machine, one home) are no attack: with the default weight
      // nothing is delivered from the 11th on.
      IPColocationFactorWeight: 0,
      topics: Object.fromEntries(topics.map((name) => [name, topic])) as never,
      appSpecificScore: (peerId) => floods.scoreOf(peerId),
      appSpecificWeight: 1,
      // The library forgets a score when its peer comes back, so it need not keep it for an hour.
      retainScore: limits.GOSSIP_RETAIN_SCORE_MS,
    },
    fallbackToFloodsub: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    maxInboundDataLength: limits.GOSSIP_MAX_RPC_BYTES,
    maxInboundStreams: limits.MAX_GOSSIP_STREAMS,
    maxOutboundStreams: limits.MAX_GOSSIP_STREAMS,
    decodeRpcLimits: {
      maxSubscriptions: limits.GOSSIP_MAX_CONTROL_ITEMS,
      maxMessages: limits.GOSSIP_MAX_MESSAGES,
      maxIhaveMessageIDs: limits.GOSSIP_MAX_IDS,
      maxIwantMessageIDs: limits.GOSSIP_MAX_IDS,
      maxIdontwantMessageIDs: limits.GOSSIP_MAX_IDS,
      maxControlMessages: limits.GOSSIP_MAX_CONTROL_ITEMS,
      maxPeerInfos: 0,
    },
  }
}

export function createGossip(pubsub: GossipSub, floods: FloodScore): Gossip & { subscribeAll(): void } {
  const topics: string[] = []
  const rate = createRateLimit({
    perSecond: limits.GOSSIP_MESSAGES_PER_SECOND,
    burst: limits.GOSSIP_MESSAGE_BURST,
    clock: systemClock,
  })
  return {
    onStart(topic, receive) {
      pubsub.topicValidators.set(topic, (peer, message) => {
        const from = peer.toString()
        // Before the message is looked at: that is what a flood would cost us most.
        if (!rate.take(from)) {
          floods.note(from)
          return TopicValidatorResult.Ignore
        }
        if (message.data.length > limits.GOSSIP_MAX_MESSAGE_BYTES) return TopicValidatorResult.Reject
        return RESULTS[receive(message.data, from)]
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
