// The composition root: the only file that knows every part. Top to bottom, each part gets the ports it
// needs; disposal goes the other way round.
import { randomUUID } from 'node:crypto'
import { createFunctionRegistry } from '../functions/registry.ts'
import { createMemberships } from '../identity/memberships.ts'
import type { PeerRef } from '../model/call.ts'
import { createNetwork } from '../network/libp2p-network.ts'
import { publicKeyOf } from '../network/peer-id.ts'
import { createCallClient } from '../protocols/call/client.ts'
import { CALL_PROTOCOL, MAX_STREAMS_PER_PEER } from '../protocols/call/constants.ts'
import { createCallHandler } from '../protocols/call/handler.ts'
import { createInboundBudget } from '../protocols/call/inbound-budget.ts'
import { pullAdverts } from '../protocols/capability/client.ts'
import {
  isTimely,
  signAdvert,
  signAnnouncement,
  verifyAdvert,
  verifyAnnouncement,
} from '../protocols/capability/codec.ts'
import {
  ANNOUNCE_TOPIC,
  CAPABILITY_PROTOCOL,
  CAPABILITY_RATE,
  MAX_CAPABILITY_STREAMS,
} from '../protocols/capability/constants.ts'
import { createCapabilityHandler } from '../protocols/capability/handler.ts'
import { sayHello } from '../protocols/hello/client.ts'
import { HELLO_PROTOCOL, HELLO_RATE, MAX_HELLO_STREAMS } from '../protocols/hello/constants.ts'
import { createHelloHandler } from '../protocols/hello/handler.ts'
import { askTimeline } from '../protocols/timeline/client.ts'
import { MAX_TIMELINE_STREAMS, TIMELINE_PROTOCOL, TIMELINE_RATE } from '../protocols/timeline/constants.ts'
import { createTimelineHandler } from '../protocols/timeline/handler.ts'
import { createExecutor } from '../runtimes/executor.ts'
import { createCaller } from '../scheduler/caller.ts'
import { createCallLog } from '../storage/call-log.ts'
import { createDatastore } from '../storage/datastore.ts'
import { createExecutionJournal } from '../storage/execution-journal.ts'
import { createMeshStore } from '../storage/mesh-store.ts'
import { createPeerStore } from '../storage/peer-store.ts'
import { createAdvertiser } from '../topology/advertiser.ts'
import { createDiscovery } from '../topology/discovery.ts'
import { createPeerTable } from '../topology/peer-table.ts'
import { joinBytes } from '../util/bytes.ts'
import { systemClock } from '../util/clock.ts'
import { createTimeOrderedIds } from '../util/ids.ts'
import { createArrivals } from './arrivals.ts'
import { createCallHistory } from './call-history.ts'
import { createClockWatch } from './clock-watch.ts'
import { createCallTimeline } from './call-timeline.ts'
import { createLocalApi } from './local-api.ts'
import { digestOfRequest } from './request-digest.ts'
import type { Node, NodeInit } from './node-types.ts'
import { createObservers } from './observers.ts'
import {
  advertised,
  createOpenStream,
  createProviderDirectory,
  discoveryNetwork,
  introductionOf,
} from './wiring.ts'

/** Longest wait for the verdicts of calls that an earlier daemon left running. */
const RECOVER_TIMEOUT_MS = 2_000
/** How often records whose time is over are removed. */
const PRUNE_INTERVAL_MS = 5 * 60_000

export async function createNode(init: NodeInit): Promise<Node> {
  const { config, databases, deviceKey, events, version } = init
  const clock = init.clock ?? systemClock
  const logger = init.logger.child({ part: 'node' })
  const software = `easynet/${version}`
  await using stack = new AsyncDisposableStack()

  // State
  const { disk } = databases
  const peerStore = createPeerStore(databases.main, {
    disk,
    onFailure: (error) => logger.debug({ err: error }, 'an advert was not written'),
  })
  const callLog = stack.use(createCallLog(databases.main, { disk, clock }))
  const journal = stack.use(createExecutionJournal(databases.journal, { bootId: randomUUID(), clock, disk }))
  journal.recover()
  const memberships = createMemberships(
    { store: createMeshStore(databases.trust), clock, ownerKey: init.ownerKey, device: deviceKey.publicKey },
    { name: config.name },
  )
  const blocked = new Set(peerStore.blocked())
  const isBlocked = (peerId: string): boolean => blocked.has(peerId)

  // Network
  const network = stack.use(
    await createNetwork(
      {
        privateKey: joinBytes([deviceKey.seed, deviceKey.publicKey]),
        datastore: createDatastore(databases.main, disk),
      },
      {
        listen: config.network.listen,
        mdns: config.network.mdns,
        agentVersion: software,
        topics: [ANNOUNCE_TOPIC],
        busyPeers: () => new Set([...remote.providers(), ...executor.callers()]),
      },
    ),
  )
  await network.setBlocked(blocked)
  const self: PeerRef = { peerId: network.peerId, name: config.name }
  const verifier = { publicKeyOf, now: () => clock.now() }
  const table = createPeerTable({ clock, store: peerStore, verify: (bytes) => verifyAdvert(verifier, bytes) })
  const openStream = createOpenStream(network, table)

  // Functions of this device
  const arrivals = createArrivals()
  const observers = createObservers({ events, clock, logger, metrics: init.metrics })
  const registry = createFunctionRegistry({
    accept: (functions) => advertiser.check(advertised(functions)),
    onChange({ added, removed }) {
      advertiser.setFunctions(advertised(registry.list()))
      for (const fn of added) events.functionRegistered(fn.name, fn.version)
      arrivals.came(added)
      for (const name of removed) events.functionUnregistered(name)
    },
  })
  const executor = stack.use(
    createExecutor(
      {
        registry,
        journal,
        clock,
        selfId: self.peerId,
        observer: {
          ...observers.runs,
          unwritten: (callId, error) =>
            logger.error({ callId, err: error }, 'the end of a call is not on disk'),
        },
      },
      { maxRunning: config.calls.maxRunning },
    ),
  )

  // What the mesh knows of us, and we of it
  const advertiser = stack.use(
    createAdvertiser({
      clock,
      describe: () => ({ ...self, software, addresses: network.addresses().slice(0, 16) }),
      sign: (advert) => signAdvert(deviceKey, advert),
      announce: async (news) => network.gossip.publish(ANNOUNCE_TOPIC, signAnnouncement(deviceKey, news)),
      provide: async (key, signal) => network.directory.provide(key, signal),
      retract: async (key) => network.directory.retract(key),
      onFailure: (what, error) => logger.debug({ what, err: error }, 'advertising failed'),
    }),
  )
  const own = () => ({ name: self.name, software, features: [], now: clock.now() })
  const discovery = stack.use(
    createDiscovery(
      {
        network: discoveryNetwork(network),
        introductions: {
          async hello(peerId) {
            const sentAt = clock.now()
            const hello = await sayHello(openStream, peerId, own())
            return introductionOf(hello, (sentAt + clock.now()) / 2)
          },
          pull: (peerId, known, only) =>
            pullAdverts({ openStream, verifier }, peerId, { known, ...(only === undefined ? {} : { only }) }),
          announce: async (news) => network.gossip.publish(ANNOUNCE_TOPIC, signAnnouncement(deviceKey, news)),
        },
        clock,
        table,
        isBlocked,
        ownSeq: () => advertiser.current().advert.seq,
        onOvertaken: (seq) => advertiser.overtaken(seq),
        onFailure: (what, peer, error) => logger.debug({ what, peer, err: error }, 'discovery step failed'),
        onAdvert({ advert: { peerId, name, functions } }) {
          events.peerFunctions(
            { peerId, name },
            functions.map((fn) => fn.name),
          )
          arrivals.came(functions)
        },
      },
      { bootstrap: config.network.bootstrap },
    ),
  )

  // Calls
  const nextId = createTimeOrderedIds()
  const remote = stack.use(createCallClient({ openStream }))
  const caller = createCaller(
    {
      self,
      clock,
      remote,
      local: executor,
      log: callLog,
      newId: () => nextId(clock.now()),
      digestOf: digestOfRequest,
      directory: createProviderDirectory({ self, registry, table, discovery, network, arrivals, isBlocked }),
      observer: observers.calls,
    },
    { defaultTimeoutMs: config.calls.defaultTimeoutMs },
  )

  // Protocols and events of the network, then the start
  const budget = createInboundBudget()
  const callerOf = (peerId: string): PeerRef => table.refOf(peerId)
  await network.handle(
    HELLO_PROTOCOL,
    { maxStreams: MAX_HELLO_STREAMS, rate: HELLO_RATE },
    createHelloHandler({
      own,
      onHello: (peerId, hello) => table.introduce(peerId, introductionOf(hello, clock.now())),
    }),
  )
  await network.handle(
    CAPABILITY_PROTOCOL,
    { maxStreams: MAX_CAPABILITY_STREAMS, rate: CAPABILITY_RATE },
    createCapabilityHandler({
      *adverts() {
        yield advertiser.current()
        for (const peer of table.list()) if (peer.advert !== undefined) yield peer.advert
      },
    }),
  )
  await network.handle(
    CALL_PROTOCOL,
    { maxStreams: MAX_STREAMS_PER_PEER },
    createCallHandler({ executor, callerOf, budget }),
  )
  const { notesOfRun } = observers
  await network.handle(
    TIMELINE_PROTOCOL,
    { maxStreams: MAX_TIMELINE_STREAMS, rate: TIMELINE_RATE },
    createTimelineHandler({ notesOf: notesOfRun }),
  )
  network.gossip.onStart(ANNOUNCE_TOPIC, (data, from) => {
    try {
      const news = verifyAnnouncement(verifier, data)
      return isTimely(clock.now(), news.expiresAt) && discovery.announced(news, from) ? 'accept' : 'ignore'
    } catch {
      return 'reject'
    }
  })
  network.listen({
    connected(peerId) {
      discovery.connected(peerId)
      arrivals.came(table.get(peerId)?.advert?.advert.functions ?? [])
      advertiser.peerConnected()
      const connection = network.connections().find((candidate) => candidate.peerId === peerId)
      events.peerConnected(table.refOf(peerId), connection?.path ?? 'direct')
    },
    disconnected(peerId) {
      remote.drop(peerId)
      discovery.disconnected(peerId)
      events.peerDisconnected(table.refOf(peerId))
    },
    discovered: (peer) => discovery.discovered(peer),
  })
  const pruning = setInterval(() => {
    try {
      journal.prune()
      callLog.prune()
    } catch (error) {
      logger.warn({ err: error }, 'old records could not be removed')
    }
  }, PRUNE_INTERVAL_MS)
  stack.defer(() => clearInterval(pruning))
  stack.use(
    createClockWatch({
      clock,
      table,
      logger,
      onSet(byMs) {
        table.clockSet(byMs)
        advertiser.clockSet()
        discovery.introduceAgain()
      },
    }),
  )
  await network.start()
  discovery.start()
  advertiser.start()

  const history = createCallHistory({
    log: callLog,
    clock,
    isRunning: caller.isRunning,
    ask: async (peerId, question, signal) =>
      peerId === self.peerId
        ? executor.outcome(peerId, question, 0, signal)
        : remote.ask(peerId, question, 0, signal),
  })
  await history.recover(self.peerId, AbortSignal.timeout(RECOVER_TIMEOUT_MS))
  const timeline = createCallTimeline({
    selfId: self.peerId,
    notesOf: observers.notesOfCall,
    ask: async (peerId, id, signal) =>
      peerId === self.peerId ? notesOfRun(peerId, id) : askTimeline(openStream, peerId, id, signal),
  })
  const running = (): number => caller.running().length + executor.running
  init.metrics?.watch({
    running,
    peers: () => network.connections().length,
    functions: () => registry.list().length,
    network: () => network.numbers(),
    isOwn: (name) => registry.find(name) !== undefined,
  })
  const api = createLocalApi({
    self,
    version,
    memberships,
    network,
    registry,
    table,
    discovery,
    caller,
    history,
    timeline,
    peerStore,
    blocked,
    events,
    counts: observers.counts,
    disk,
    clock,
    running,
    requestShutdown: init.requestShutdown,
  })
  const parts = stack.move()
  return {
    api,
    ...self,
    addresses: () => network.addresses(),
    async drain(signal) {
      await advertiser.withdraw()
      await executor.drain(signal)
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}
