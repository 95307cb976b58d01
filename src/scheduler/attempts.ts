import { EasyNetError } from '../errors/error.ts'
import type { PeerRef } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'
import type { Journey } from './journey.ts'
import { pickProvider } from './pick.ts'
import type { CallLog, Candidate, LocalCalls, OutgoingCall, ProviderDirectory, RemoteCalls } from './ports.ts'
import { pause } from './pause.ts'
import { kindOfFailure } from './retry.ts'
import { askUntilKnown } from './verdict.ts'

export interface AttemptsComponents {
  self: PeerRef
  directory: ProviderDirectory
  remote: RemoteCalls
  local: LocalCalls
  log: CallLog
  clock: Clock
}

export interface AttemptsInit {
  /** Devices that are tried per call. @default 4 */
  maxAttempts: number
  /** How long the mesh is asked for a function that nobody has announced. */
  discoverMs: number
}

/** Sends a call to one provider after the other, until it has run or may not be sent again. */
export function createAttempts(components: AttemptsComponents, init: AttemptsInit) {
  const { self, directory, remote, local, log, clock } = components
  const outstanding = new Map<string, number>()
  const outstandingAt = (peerId: string): number => outstanding.get(peerId) ?? 0

  const known = ({ name, range, onlyPeer }: Journey): Candidate[] => {
    const candidates = directory.candidates(name, range)
    if (onlyPeer === undefined) return candidates
    return candidates.filter((candidate) => candidate.peer.peerId === onlyPeer)
  }

  const findCandidates = async (journey: Journey): Promise<Candidate[]> => {
    const first = known(journey)
    if (first.length > 0) return first
    const limit = AbortSignal.any([journey.deadline.signal, AbortSignal.timeout(init.discoverMs)])
    await directory.discover(journey.name, limit)
    return known(journey)
  }

  const next = async (journey: Journey): Promise<Candidate> => {
    for (let pauses = 0; ; pauses += 1) {
      const tried = new Set(journey.failed.map((attempt) => attempt.provider.peerId))
      const candidates = (await findCandidates(journey)).filter(
        // What may have run must not run again where running twice does harm.
        (candidate) => candidate.idempotent || !journey.mayHaveRun,
      )
      const fresh = candidates.filter((candidate) => !tried.has(candidate.peer.peerId))
      const picked = pickProvider(fresh, outstandingAt)
      if (picked !== undefined && tried.size < init.maxAttempts) return picked
      const last = journey.failed.at(-1)
      if (last === undefined) throw noProvider(journey)
      if (!journey.mayRepeat || last.error.reason === 'queue_full') throw lastError(journey)
      // A provider that died, or whose program did, may be back in a moment, with or without its function.
      await pauseFor(journey, journey.failed.length - tried.size + pauses)
      const again = longestTried(candidates, journey)
      if (again !== undefined) return again
    }
  }

  const pauseFor = async ({ name, deadline, failed }: Journey, before: number): Promise<void> => {
    try {
      await pause(directory, name, before, deadline.signal)
    } catch (error) {
      const reason = EasyNetError.from(error)
      throw reason.with({ details: { ...reason.details, lastFailure: failed.at(-1)?.error.reason } })
    }
  }

  const send = (journey: Journey, { peer, path, streams }: Candidate): Promise<Value> => {
    const { request, record, deadline, name: fn } = journey
    const timeoutMs = Math.max(1, deadline.remainingMs())
    journey.sentTimeoutMs = timeoutMs
    const { args, kwargs, traceparent, input } = request
    journey.notes.add('sent', peer)
    if (path === 'local') {
      const { id } = record
      const invocation = { id, fn, args, kwargs, caller: self, timeoutMs, traceparent, input, deadline }
      return local.run(invocation, journey)
    }
    const call: OutgoingCall = {
      id: record.id,
      fn,
      args,
      kwargs,
      timeoutMs,
      input: input !== undefined,
      inputs: input,
      streams,
      traceparent,
    }
    return remote.call(peer.peerId, call, journey, deadline)
  }

  /** What became of a call whose answer was lost; rejects with `failure` when nobody need be asked. */
  const verdictOf = async (
    journey: Journey,
    candidate: Candidate,
    failure: EasyNetError,
    sentAt: number,
  ): Promise<Value> => {
    const mayRunAgain = candidate.idempotent && journey.chunksSeen === 0
    const mustAsk = failure.reason === 'outcome_unknown' && !mayRunAgain && !candidate.streams
    if (!mustAsk || candidate.path === 'local') throw failure
    const { id } = journey.record
    const once = !candidate.idempotent
    const ask = async (waitMs: number) => {
      const question = { id, ageMs: clock.monotonic() - sentAt, once }
      return remote.ask(candidate.peer.peerId, question, waitMs, journey.deadline.signal)
    }
    const again = async (before: number) => pause(directory, journey.name, before, journey.deadline.signal)
    return askUntilKnown(ask, again, journey.deadline)
  }

  /** Undefined when nobody has to wait for the disk. @throws `storage_failed`: it must not be sent then */
  const noteProvider = (
    journey: Journey,
    candidate: Candidate,
    isNoted: boolean,
  ): Promise<void> | undefined => {
    const { record } = journey
    journey.candidate = candidate
    journey.notes.add('chosen', candidate.peer)
    record.peerId = candidate.peer.peerId
    record.peerName = candidate.peer.name
    record.idempotent = candidate.idempotent
    // What may run only once must be known after a crash of ours before it is sent.
    if (!candidate.idempotent || record.key !== undefined) return log.put(record).catch(refuse)
    if (!isNoted) log.note(record)
  }

  const attempt = async (journey: Journey, candidate: Candidate): Promise<Value> => {
    const { peerId } = candidate.peer
    outstanding.set(peerId, outstandingAt(peerId) + 1)
    const sentAt = clock.monotonic()
    try {
      return await send(journey, candidate)
    } catch (error) {
      return await verdictOf(journey, candidate, EasyNetError.from(error), sentAt)
    } finally {
      const left = outstandingAt(peerId) - 1
      if (left > 0) outstanding.set(peerId, left)
      else outstanding.delete(peerId)
    }
  }

  /** At the first attempt everybody may be asked, and nearly always somebody is known. */
  const first = (journey: Journey): Candidate | undefined => pickProvider(known(journey), outstandingAt)

  const mayTryAgain = (journey: Journey, candidate: Candidate, failure: EasyNetError): boolean => {
    if (journey.chunksSeen > 0 || journey.deadline.reason !== undefined) return false
    const kind = kindOfFailure(failure)
    if (kind === 'never_started') return !journey.mayHaveRun || candidate.idempotent
    // Inputs that were taken from the program's stream cannot be taken twice.
    return kind === 'cut_off' && candidate.idempotent && journey.request.input === undefined
  }

  /** Resolves with the result; rejects with the last failure when no further attempt may be made. */
  return async function travel(journey: Journey): Promise<Value> {
    for (let attempts = 0; ; attempts += 1) {
      // In the tick in which the call was noted: the books have the same record.
      const found = attempts === 0 ? first(journey) : undefined
      const candidate = found ?? (await next(journey))
      journey.mayRepeat = candidate.idempotent
      const noted = noteProvider(journey, candidate, found !== undefined)
      if (noted !== undefined) await noted
      const startedAt = clock.monotonic()
      try {
        const value = await attempt(journey, candidate)
        journey.notes.add('answered', candidate.peer)
        return value
      } catch (error) {
        const failure = EasyNetError.from(error)
        if (!failure.notStarted) journey.mayHaveRun = true
        journey.notes.add('failed', candidate.peer, failure.reason)
        const durationMs = Math.round(clock.monotonic() - startedAt)
        journey.failed.push({ provider: candidate.peer, error: failure.toJSON(), durationMs })
        if (!mayTryAgain(journey, candidate, failure)) throw failure
      }
    }
  }
}

/** The one that was tried the longest ago, of those where running twice does no harm. */
function longestTried(candidates: readonly Candidate[], { failed }: Journey): Candidate | undefined {
  const lastTry = ({ peer }: Candidate): number =>
    failed.findLastIndex(({ provider }) => provider.peerId === peer.peerId)
  return candidates
    .filter((candidate) => candidate.idempotent && lastTry(candidate) !== -1)
    .sort((one, other) => lastTry(one) - lastTry(other))[0]
}

/** The call that could not be noted was not sent, and the disk may take it later. */
function refuse(error: unknown): never {
  throw EasyNetError.from(error).with({ notStarted: true, retryable: true })
}

function lastError(journey: Journey): EasyNetError {
  const error = EasyNetError.fromData(journey.failed.at(-1)?.error)
  return journey.mayHaveRun ? error : error.asNotStarted()
}

function noProvider({ request, name, onlyPeer }: Journey): EasyNetError {
  const peer = request.peer ?? (request.fn.includes('/') ? request.fn.split('/')[0] : undefined)
  const message =
    onlyPeer === undefined
      ? `Nobody in the mesh offers a function "${name}" now.`
      : `The device ${peer ?? onlyPeer} does not offer a function "${name}" now.`
  return new EasyNetError('no_provider', message, {
    hint: 'See what is offered: easynet fn ls',
    details: { fn: request.fn },
    notStarted: true,
  })
}
