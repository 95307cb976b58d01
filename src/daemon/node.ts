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
  signAdvert,
  signAnnouncement,
  verifyAdvert,
  verifyAnnouncement,
} from '../protocols/capability/codec.ts'
import {
  ANNOUNCE_TOPIC,
  CAPABILITY_PROTOCOL,
  MAX_CAPABILITY_STREAMS,
} from '../protocols/capability/constants.ts'
import { createCapabilityHandler } from '../protocols/capability/handler.ts'
import { sayHello } from '../protocols/hello/client.ts'
import { HELLO_PROTOCOL, MAX_HELLO_STREAMS } from '../protocols/hello/constants.ts'
import { createHelloHandler } from '../protocols/hello/handler.ts'
import { askTimeline } from '../protocols/timeline/client.ts'
import { MAX_TIMELINE_STREAMS, TIMELINE_PROTOCOL } from '../protocols/timeline/constants.ts'
import { createTimelineHandler } from '../protocols/timeline/handler.ts'
import { createExecutor } from '../runtimes/executor.ts'
import { createCaller } from '../scheduler/caller.ts'
import { createCallLog } from '../storage/call-log.ts'
import { createDatastore } from '../storage/datastore.ts'
import { createExecutionJournal } from '../storage/execution-journal.ts'
import { createMemberStore } from '../storage/member-store.ts'
import { createMeshStore } from '../storage/mesh-store.ts'
import { createPeerStore } from '../storage/peer-store.ts'
import { createAdvertiser } from '../topology/advertiser.ts'
import { createDiscovery } from '../topology/discovery.ts'
import { ANNOUNCEMENT_BURST, ANNOUNCEMENTS_PER_SECOND } from '../topology/limits.ts'
import { createPeerTable } from '../topology/peer-table.ts'
import { joinBytes } from '../util/bytes.ts'
import { systemClock } from '../util/clock.ts'
import { timeOrderedId } from '../util/ids.ts'
import { createRateLimit } from '../util/rate-limit.ts'
import { createAdmissions } from './admissions.ts'
import { createCallHistory } from './call-history.ts'
import { createCallTimeline } from './call-timeline.ts'
import { createLocalApi } from './local-api.ts'
import { digestOfRequest } from './request-digest.ts'
import type { Node, NodeInit } from './node-types.ts'
import { createObservers } from './observers.ts'
import { advertised, createOpenStream, createProviderDirectory, discoveryNetwork } from './wiring.ts'

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
  const peerStore = createPeerStore(databases.main)
  const callLog = stack.use(createCallLog(databases.main))
  const journal = createExecutionJournal(databases.journal, { bootId: randomUUID(), clock })
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
        datastore: createDatastore(databases.main),
      },
      {
        listen: config.network.listen,
        mdns: config.network.mdns,
        agentVersion: software,
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
  const observers = createObservers({ events, clock, metrics: init.metrics })
  const registry = createFunctionRegistry({
    accept: (functions) => advertiser.check(advertised(functions)),
    onChange({ added, removed }) {
      advertiser.setFunctions(advertised(registry.list()))
      for (const fn of added) events.functionRegistered(fn.name, fn.version)
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
        observer: observers.runs,
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
  const admissions = stack.use(
    createAdmissions({
      network,
      members: createMemberStore(databases.trust),
      clock,
      onRefused: (peer, err) => logger.info({ peer, why: err.details?.['why'] }, 'a device was refused'),
      onFailure: (err) => logger.warn({ err }, 'a member could not be remembered'),
    }),
  )
  const own = () => ({ name: self.name, software, features: [] })
  const discovery = stack.use(
    createDiscovery(
      {
        network: discoveryNetwork(network),
        introductions: {
          async hello(peerId) {
            const introduction = await sayHello({ openStream, memberships, publicKeyOf }, peerId, own())
            return admissions.introduced(peerId, introduction) ? introduction.hello : undefined
          },
          pull: (peerId, known, only) =>
            pullAdverts({ openStream, verifier }, peerId, { known, ...(only === undefined ? {} : { only }) }),
          announce: async (news) => network.gossip.publish(ANNOUNCE_TOPIC, signAnnouncement(deviceKey, news)),
        },
        clock,
        table,
        isBlocked: (peerId) => isBlocked(peerId) || admissions.wasRefused(peerId),
        onFailure: (what, peer, error) => logger.debug({ what, peer, err: error }, 'discovery step failed'),
        onAdvert: ({ advert }) =>
          events.peerFunctions(
            { peerId: advert.peerId, name: advert.name },
            advert.functions.map((fn) => fn.name),
          ),
      },
      { bootstrap: config.network.bootstrap },
    ),
  )

  // Calls
  const remote = stack.use(createCallClient({ openStream }))
  const caller = createCaller(
    {
      self,
      clock,
      remote,
      local: executor,
      log: callLog,
      newId: () => timeOrderedId(clock.now()),
      digestOf: digestOfRequest,
      directory: createProviderDirectory({ self, registry, table, discovery, network, isBlocked }),
      observer: observers.calls,
    },
    { defaultTimeoutMs: config.calls.defaultTimeoutMs },
  )

  // Protocols and events of the network, then the start
  const budget = createInboundBudget()
  const announcements = createRateLimit({
    perSecond: ANNOUNCEMENTS_PER_SECOND,
    burst: ANNOUNCEMENT_BURST,
    clock,
  })
  const callerOf = (peerId: string): PeerRef => table.refOf(peerId)
  await network.handle(
    HELLO_PROTOCOL,
    MAX_HELLO_STREAMS,
    createHelloHandler({
      own,
      memberships,
      publicKeyOf,
      onHello(peerId, introduction) {
        if (admissions.introduced(peerId, introduction)) table.introduce(peerId, introduction.hello)
      },
    }),
  )
  await network.handle(
    CAPABILITY_PROTOCOL,
    MAX_CAPABILITY_STREAMS,
    createCapabilityHandler({
      *adverts() {
        yield advertiser.current()
        for (const peer of table.list()) if (peer.advert !== undefined) yield peer.advert
      },
    }),
  )
  await network.handle(CALL_PROTOCOL, MAX_STREAMS_PER_PEER, createCallHandler({ executor, callerOf, budget }))
  const { notesOfRun } = observers
  await network.handle(
    TIMELINE_PROTOCOL,
    MAX_TIMELINE_STREAMS,
    createTimelineHandler({ notesOf: notesOfRun }),
  )
  network.gossip.onStart(ANNOUNCE_TOPIC, (data, from) => {
    // Before the signature is checked: that is what a flood would cost us most.
    if (!announcements.take(from)) return 'ignore'
    try {
      return discovery.announced(verifyAnnouncement(verifier, data), from) ? 'accept' : 'ignore'
    } catch {
      return 'reject'
    }
  })
  network.listen({
    connected(peerId) {
      admissions.connected(peerId)
      discovery.connected(peerId)
      advertiser.peerConnected()
      const connection = network.connections().find((candidate) => candidate.peerId === peerId)
      events.peerConnected(table.refOf(peerId), connection?.path ?? 'direct')
    },
    disconnected(peerId) {
      admissions.disconnected(peerId)
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
