// Stop 4 of 7 of a call: comes from api/routes/calls.ts (or the app connection), goes to
// protocols/call/client.ts, or to runtimes/executor.ts when the function is on this device.
import { EasyNetError } from '../errors/error.ts'
import { parseFunctionAddress } from '../model/address.ts'
import {
  type CallRequest,
  type CallResult,
  type CallSink,
  DEFAULT_CALL_TIMEOUT_MS,
  type FailedAttempt,
  type LoggedCall,
  type PeerRef,
} from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'
import { createDeadline, type Deadline } from '../util/signals.ts'
import { pickProvider } from './pick.ts'
import type {
  CallLog,
  CallObserver,
  Candidate,
  LocalCalls,
  OutgoingCall,
  ProviderDirectory,
  RemoteCalls,
} from './ports.ts'
import { kindOfFailure } from './retry.ts'
import { askUntilKnown } from './verdict.ts'

export interface CallerComponents {
  self: PeerRef
  directory: ProviderDirectory
  remote: RemoteCalls
  local: LocalCalls
  log: CallLog
  observer: CallObserver
  clock: Clock
  newId: () => string
}

export interface CallerInit {
  /** Attempts per call, the first included. @default 4 */
  maxAttempts?: number
  /** How long the mesh is asked for a function that nobody has announced. @default 1_500 */
  discoverMs?: number
  /** Deadline of calls that name none. @default 60_000 */
  defaultTimeoutMs?: number
  /** Calls that this device makes at the same time. @default 4_096 */
  maxRunning?: number
}

export interface CallerOptions {
  signal?: AbortSignal | undefined
  /** Gets the id before anything is sent. */
  onAccepted?: (id: string) => void
}

/** Makes calls: finds a provider, keeps the deadline, retries what may be retried, settles the verdict. */
export interface Caller {
  /** @throws {@link EasyNetError} with the reason that the program sees */
  call(request: CallRequest, sink: CallSink, options: CallerOptions): Promise<CallResult>
  /** Ids of calls that run now. */
  running(): string[]
  /** False when no such call runs. */
  cancel(id: string): boolean
}

/** A call on its way through attempts. */
interface Journey {
  request: CallRequest
  name: string
  range: string | undefined
  onlyPeer: string | undefined
  deadline: Deadline
  record: LoggedCall
  sink: CallSink
  failed: FailedAttempt[]
  /** Chunks that the program has seen: from then on another attempt would repeat them. */
  chunksSeen: number
}

export function createCaller(components: CallerComponents, init: CallerInit = {}): Caller {
  const { self, directory, remote, local, log, observer, clock } = components
  const maxAttempts = init.maxAttempts ?? 4
  const defaultTimeoutMs = init.defaultTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS
  const maxRunning = init.maxRunning ?? 4_096
  const running = new Map<string, Deadline>()
  const outstanding = new Map<string, number>()

  const outstandingAt = (peerId: string): number => outstanding.get(peerId) ?? 0

  const findCandidates = async (journey: Journey): Promise<Candidate[]> => {
    const { name, range, onlyPeer } = journey
    const known = (): Candidate[] =>
      directory
        .candidates(name, range)
        .filter((candidate) => onlyPeer === undefined || candidate.peer.peerId === onlyPeer)
    const first = known()
    if (first.length > 0) return first
    const limit = AbortSignal.any([journey.deadline.signal, AbortSignal.timeout(init.discoverMs ?? 1_500)])
    await directory.discover(name, limit)
    return known()
  }

  const next = async (journey: Journey): Promise<Candidate> => {
    const tried = new Set(journey.failed.map((attempt) => attempt.provider.peerId))
    const candidates = await findCandidates(journey)
    const fresh = candidates.filter((candidate) => !tried.has(candidate.peer.peerId))
    const picked = pickProvider(fresh, outstandingAt)
    if (picked !== undefined) return picked
    const last = journey.failed.at(-1)
    // An idempotent function whose only provider was cut off may be back in a moment.
    const again = candidates.find((candidate) => candidate.peer.peerId === last?.provider.peerId)
    if (again?.idempotent === true && last?.error.reason !== 'queue_full') return again
    throw last === undefined ? noProvider(journey) : EasyNetError.fromData(last.error)
  }

  const attempt = async (journey: Journey, candidate: Candidate): Promise<Value> => {
    const { peerId, name } = candidate.peer
    journey.record = { ...journey.record, peerId, peerName: name }
    // What may run only once must be known after a crash of ours before it is sent.
    const mayBeLost = candidate.idempotent && journey.record.key === undefined
    if (mayBeLost) log.note(journey.record)
    else await log.put(journey.record)
    outstanding.set(peerId, outstandingAt(peerId) + 1)
    try {
      return await send(journey, candidate)
    } catch (error) {
      const failure = EasyNetError.from(error)
      const idempotent = candidate.idempotent && journey.chunksSeen === 0
      const mustAsk = failure.reason === 'outcome_unknown' && !idempotent && !candidate.streams
      if (!mustAsk) throw failure
      const ask = candidate.path === 'local' ? askLocal : async (waitMs: number) => askRemote(journey, waitMs)
      return await askUntilKnown(ask, journey.deadline)
    } finally {
      const left = outstandingAt(peerId) - 1
      if (left > 0) outstanding.set(peerId, left)
      else outstanding.delete(peerId)
    }
  }
  const askLocal = async (): Promise<{ state: 'interrupted' }> => ({ state: 'interrupted' })
  const askRemote = async ({ record, deadline }: Journey, waitMs: number) =>
    remote.ask(record.peerId ?? '', record.id, waitMs, deadline.signal)

  const send = async (journey: Journey, candidate: Candidate): Promise<Value> => {
    const { request, record, deadline, sink } = journey
    const counted: CallSink = {
      ...sink,
      chunk(value) {
        journey.chunksSeen += 1
        return sink.chunk(value)
      },
    }
    const timeoutMs = Math.max(1, deadline.remainingMs())
    const { args, kwargs } = request
    if (candidate.path === 'local') {
      const invocation = { id: record.id, fn: journey.name, args, kwargs, caller: self, timeoutMs }
      const input = request.input === undefined ? {} : { input: request.input }
      return local.run({ ...invocation, ...input, signal: deadline.signal }, counted)
    }
    const call: OutgoingCall = {
      id: record.id,
      fn: journey.name,
      args,
      kwargs,
      timeoutMs,
      input: request.input !== undefined,
      ...(request.input === undefined ? {} : { inputs: request.input }),
      streams: candidate.streams,
    }
    return remote.call(candidate.peer.peerId, call, counted, deadline.signal)
  }

  const travel = async (journey: Journey): Promise<{ value: Value; candidate: Candidate }> => {
    while (true) {
      const candidate = await next(journey)
      const startedAt = clock.monotonic()
      try {
        return { value: await attempt(journey, candidate), candidate }
      } catch (error) {
        const failure = EasyNetError.from(error)
        const durationMs = Math.round(clock.monotonic() - startedAt)
        journey.failed.push({ provider: candidate.peer, error: failure.toJSON(), durationMs })
        if (journey.deadline.signal.aborted || !mayTryAgain(journey, candidate, failure)) throw failure
      }
    }
  }
  const mayTryAgain = (journey: Journey, candidate: Candidate, failure: EasyNetError): boolean => {
    if (journey.failed.length >= maxAttempts || journey.chunksSeen > 0) return false
    // Inputs that were taken from the program's stream cannot be taken twice.
    if (journey.request.input !== undefined) return false
    const kind = kindOfFailure(failure)
    return kind === 'never_started' || (kind === 'cut_off' && candidate.idempotent)
  }

  const finish = (
    journey: Journey,
    candidate: Candidate | undefined,
    failure: EasyNetError | undefined,
  ): void => {
    const { record } = journey
    const ended: LoggedCall = { ...record, state: stateOf(failure), endedAt: clock.now() }
    if (failure !== undefined) ended.error = failure.toJSON()
    log.note(ended)
    observer.ended(ended, clock.now() - record.startedAt, candidate?.path)
  }

  return {
    running: () => [...running.keys()],
    cancel(id) {
      const deadline = running.get(id)
      deadline?.abort(new EasyNetError('cancelled', 'The call was cancelled.'))
      return deadline !== undefined
    },
    async call(request, sink, { signal, onAccepted }) {
      if (running.size >= maxRunning) {
        throw new EasyNetError('too_many_calls', `${maxRunning} calls of this device are running.`)
      }
      const address = parseFunctionAddress(request.fn)
      const peer = request.peer ?? address.peer
      const known = request.key === undefined ? undefined : log.findByKey(request.key)
      const id = known?.id ?? components.newId()
      using deadline = createDeadline(request.timeoutMs ?? defaultTimeoutMs, signal)
      const record: LoggedCall = known ?? {
        id,
        fn: request.fn,
        ...(request.key === undefined ? {} : { key: request.key }),
        state: 'running',
        startedAt: clock.now(),
      }
      const journey: Journey = {
        request,
        name: address.name,
        range: address.range,
        onlyPeer: peer === undefined ? undefined : directory.resolvePeer(peer),
        deadline,
        record,
        sink,
        failed: [],
        chunksSeen: 0,
      }
      const startedAt = clock.monotonic()
      running.set(id, deadline)
      onAccepted?.(id)
      observer.started({ id, fn: request.fn })
      let candidate: Candidate | undefined
      try {
        const arrived = known === undefined ? await travel(journey) : await recall(journey, known)
        candidate = arrived.candidate
        finish(journey, candidate, undefined)
        return {
          id,
          result: arrived.value,
          provider: candidate.peer,
          path: candidate.path,
          attempts: journey.failed.length + 1,
          failed: journey.failed,
          durationMs: Math.round((clock.monotonic() - startedAt) * 1000) / 1000,
          cost: '0',
        }
      } catch (error) {
        const failure = EasyNetError.from(error)
        finish(journey, candidate, failure)
        throw withCallId(failure, id, journey.failed.length)
      } finally {
        running.delete(id)
      }
    },
  }

  /** The same idempotency key again: the outcome of the first call, never a second run. */
  async function recall(
    journey: Journey,
    known: LoggedCall,
  ): Promise<{ value: Value; candidate: Candidate }> {
    // It never reached a function: this is its first run.
    const lastError = known.error === undefined ? undefined : EasyNetError.fromData(known.error)
    const neverRan = lastError !== undefined && kindOfFailure(lastError) === 'never_started'
    if (known.peerId === undefined || neverRan) return travel(journey)
    const peer = { peerId: known.peerId ?? '', name: known.peerName ?? '' }
    const path = peer.peerId === self.peerId ? 'local' : 'direct'
    const candidate: Candidate = { peer, path, rttMs: null, streams: false, idempotent: false }
    const ask = async (waitMs: number) =>
      path === 'local'
        ? local.outcome(self.peerId, known.id, waitMs, journey.deadline.signal)
        : remote.ask(peer.peerId, known.id, waitMs, journey.deadline.signal)
    return { value: await askUntilKnown(ask, journey.deadline), candidate }
  }
}

function stateOf(failure: EasyNetError | undefined): LoggedCall['state'] {
  if (failure === undefined) return 'done'
  if (failure.reason === 'interrupted') return 'interrupted'
  return failure.reason === 'outcome_unknown' ? 'unknown' : 'failed'
}

function noProvider({ request, name, onlyPeer }: Journey): EasyNetError {
  const where =
    onlyPeer === undefined ? 'Nobody in the mesh' : `The device ${request.peer ?? onlyPeer.slice(-8)}`
  return new EasyNetError('no_provider', `${where} offers a function "${name}" now.`, {
    hint: 'See what is offered: easynet fn ls',
    details: { fn: request.fn },
  })
}

/** The program needs the id to ask for the outcome later. */
function withCallId(error: EasyNetError, callId: string, attempts: number): EasyNetError {
  return new EasyNetError(error.reason, error.message, {
    cause: error.cause ?? error,
    retryable: error.retryable,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, callId, attempts },
  })
}
