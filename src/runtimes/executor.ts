// Stop 7 of 7 of a call: comes from protocols/call/handler.ts (or, for a function of this device, from
// scheduler/caller.ts) and goes to the program that registered the function.
import { EasyNetError } from '../errors/error.ts'
import type { Reason } from '../errors/reasons.ts'
import type { FunctionRegistry, RegisteredFunction } from '../functions/registry.ts'
import type { CallOutcome, CallQuestion, CallSink, Invocation, PeerRef } from '../model/call.ts'
import { approximateBytes, type Value } from '../model/value.ts'
import { createCborCodec } from '../util/cbor.ts'
import type { Clock } from '../util/clock.ts'
import { createDeadline, type Deadline, raceSignal, sleep } from '../util/signals.ts'
import { createOutcomes, type Ending } from './outcomes.ts'
import { ExecutionTimes } from './execution-times.ts'
import type { ExecutionJournal, ExecutionObserver, JournalRecord } from './ports.ts'
import { runWithGrace } from './grace.ts'
import { createSlots, type Slots } from './slots.ts'

export interface ExecutorComponents {
  registry: FunctionRegistry
  journal: ExecutionJournal
  observer: ExecutionObserver
  clock: Clock
  /** Our own peer id: programs on this device may call private functions. */
  selfId: string
}

export interface ExecutorInit {
  /** How long a function may ignore its cancel before its process is killed. @default 2_000 */
  graceMs?: number
  /** Calls of other devices that run at the same time; one more is refused. @default 1_024 */
  maxRunning?: number
}

/** Runs functions of this device, with all limits of their descriptors enforced. */
export interface Executor extends Disposable {
  /** @throws the refusal, when a call would be refused now */
  admit(fn: string, caller: PeerRef): { streams: boolean }
  /** Runs a call once, or returns the outcome of the same call. @throws refusals and function errors */
  run(invocation: Invocation, sink: CallSink): Promise<Value>
  /** Waits up to `waitMs` for a call that still runs. A call that never came can never start afterwards. */
  outcome(callerId: string, question: CallQuestion, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
  /** Calls that run now. */
  readonly running: number
  /** Peer ids of those whose calls run or wait now. */
  callers(): ReadonlySet<string>
  /** The caller has the whole result: it need not be kept. */
  delivered(callerId: string, callId: string): void
  /** Refuses new calls and resolves when no call runs any more, or `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
}

const DRAIN_POLL_MS = 20
/** Larger results are kept in memory only. */
const MAX_JOURNALED_RESULT_BYTES = 128 * 1024
const codec = createCborCodec()

type JournalEnd = Parameters<ExecutionJournal['finish']>[2]

export function createExecutor(components: ExecutorComponents, init: ExecutorInit = {}): Executor {
  const { registry, journal, observer, clock } = components
  const graceMs = init.graceMs ?? 2_000
  const maxRunning = init.maxRunning ?? 1_024
  const outcomes = createOutcomes({ clock })
  const slotsOf = new WeakMap<RegisteredFunction, Slots>()
  let running = 0
  /** Calls that wait for a place or the journal, or run, and have no answer yet. */
  let open = 0
  let draining = false
  const deadlines = new Set<Deadline>()

  const findFunction = (name: string, caller: PeerRef): RegisteredFunction => {
    if (draining) throw refusal('draining', 'This device is shutting down and takes no new calls.')
    if (running >= maxRunning && caller.peerId !== components.selfId) {
      throw refusal('too_many_calls', `${running} calls run on this device already.`)
    }
    const fn = registry.find(name)
    const hidden = fn?.descriptor.access === 'private' && caller.peerId !== components.selfId
    if (fn === undefined || hidden) {
      throw refusal('unknown_function', `This device does not offer a function "${name}".`)
    }
    return fn
  }
  /** The caller of an idempotent function sends it again, under its id, when it was cut off. */
  const mayRunAgain = (known: Ending | Promise<Ending>, name: string): boolean => {
    if (known instanceof Promise || known.state !== 'failed' || known.error.reason !== 'interrupted')
      return false
    return registry.find(name)?.descriptor.idempotent ?? false
  }
  const slotsFor = (fn: RegisteredFunction): Slots => {
    let slots = slotsOf.get(fn)
    if (slots === undefined) slotsOf.set(fn, (slots = createSlots(fn.descriptor)))
    return slots
  }

  /** Resolves with how it ended; rejects only when the call was refused before it started. */
  const execute = async (fn: RegisteredFunction, invocation: Invocation, sink: CallSink): Promise<Ending> => {
    const slots = slotsFor(fn)
    const { caller, id } = invocation
    const times = new ExecutionTimes(caller.peerId, id, clock.monotonic())
    observer.received(times)
    const place = slots.acquire(invocation.deadline)
    if (place !== undefined) {
      times.queuedAt = times.receivedAt
      await place
    }
    const once = !fn.descriptor.idempotent
    if (once) {
      const known = await startOnce(slots, journal, invocation)
      if (known !== undefined) return endingOf(known)
    }
    running += 1
    observer.started(invocation)
    times.startedAt = clock.monotonic()
    const ending = await runFunction(fn, invocation, sink, () => {
      times.endedAt = clock.monotonic()
      running -= 1
      slots.release()
    })
    if (once) await noteEnd(invocation, toJournal(ending, !fn.descriptor.stream))
    const error = ending.state === 'failed' ? ending.error.toJSON() : undefined
    times.answeredAt = clock.monotonic()
    observer.ended(invocation, times.answeredAt - times.startedAt, error)
    return ending
  }

  const noteEnd = async ({ caller, id }: Invocation, end: JournalEnd): Promise<void> => {
    try {
      await journal.finish(caller.peerId, id, end)
    } catch (error) {
      // The function has run and this is how it ended: to say anything else would be wrong. The journal
      // writes it as soon as the disk lets it; until then a crash would make it `interrupted`.
      observer.unwritten(id, EasyNetError.from(error))
    }
  }

  /** The function's own limit, when it is shorter than what the caller gives. */
  const limited = (fn: RegisteredFunction, invocation: Invocation): Invocation => {
    const { timeoutMs } = fn.descriptor
    if (invocation.timeoutMs <= timeoutMs) return invocation
    return { ...invocation, timeoutMs, deadline: createDeadline(timeoutMs, invocation.deadline) }
  }

  const runFunction = async (
    fn: RegisteredFunction,
    invocation: Invocation,
    sink: CallSink,
    onEnd: () => void,
  ): Promise<Ending> => {
    const run = limited(fn, invocation)
    deadlines.add(run.deadline)
    try {
      const result = await runWithGrace(fn.runner, run, sink, { graceMs, onEnd })
      return { state: 'done', result }
    } catch (error) {
      return { state: 'failed', error: EasyNetError.from(error) }
    } finally {
      deadlines.delete(run.deadline)
      if (run !== invocation) run.deadline[Symbol.dispose]()
    }
  }

  return {
    get running() {
      return running
    },
    admit(name, caller) {
      const fn = findFunction(name, caller)
      slotsFor(fn).check()
      return { streams: fn.descriptor.stream || fn.descriptor.clientStream }
    },
    async run(invocation, sink) {
      const callerId = invocation.caller.peerId
      const { id } = invocation
      const known = outcomes.find(callerId, id)
      if (known !== undefined && !mayRunAgain(known, invocation.fn)) return valueOf(await known)
      const fn = findFunction(invocation.fn, invocation.caller)
      const ending = execute(fn, invocation, sink)
      outcomes.begin(callerId, id, ending)
      open += 1
      try {
        const ended = await ending
        outcomes.end(callerId, id, fn.descriptor.stream ? withoutChunks(ended) : ended)
        return valueOf(ended)
      } catch (error) {
        outcomes.forget(callerId, id)
        throw error
      } finally {
        open -= 1
      }
    },
    async outcome(callerId, question, waitMs, signal) {
      const known = outcomes.find(callerId, question.id)
      if (known === undefined) {
        const record = journal.find(callerId, question.id)
        if (record !== undefined) return answerOf(endingOf(record))
        // Runs of functions that are not idempotent are in the journal.
        const { ageMs, once } = question
        if (!outcomes.remembers(ageMs) && !(once && journal.remembers(ageMs))) return { state: 'forgotten' }
        // From now on it may not start: the caller is free to send it elsewhere.
        outcomes.forbid(callerId, question.id)
        return { state: 'never' }
      }
      const ending = known instanceof Promise ? await waitFor(known, waitMs, signal) : known
      return ending === undefined ? { state: 'running' } : answerOf(ending)
    },
    callers: () => outcomes.callers(),
    delivered: (callerId, callId) => outcomes.delivered(callerId, callId),
    [Symbol.dispose]() {
      draining = true
      for (const deadline of deadlines) {
        deadline.abort(new EasyNetError('interrupted', 'The device stopped while the function ran.'))
      }
    },
    async drain(signal) {
      draining = true
      try {
        while (running > 0 || open > 0) await sleep(DRAIN_POLL_MS, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

function refusal(reason: Reason, message: string): EasyNetError {
  return new EasyNetError(reason, message, { notStarted: true })
}

/** Journals the start; when that fails, or the call is known from an earlier boot, it must not run. */
async function startOnce(
  slots: Slots,
  journal: ExecutionJournal,
  { caller, id, fn }: Invocation,
): Promise<JournalRecord | undefined> {
  try {
    const started = await journal.start({ caller: caller.peerId, id, fn })
    if (started === 'started') return undefined
    slots.release()
    return started
  } catch (error) {
    slots.release()
    // Nothing ran, and the disk may take it later.
    throw EasyNetError.from(error).with({ notStarted: true, retryable: true })
  }
}

/** Undefined when it has not ended in time. */
async function waitFor(
  ending: Promise<Ending>,
  waitMs: number,
  signal: AbortSignal,
): Promise<Ending | undefined> {
  using waiting = createDeadline(waitMs, signal)
  try {
    return await raceSignal(ending, waiting.signal)
  } catch (error) {
    if (signal.aborted || !waiting.signal.aborted) throw error
    return undefined
  }
}

function valueOf(ending: Ending): Value {
  switch (ending.state) {
    case 'done':
      return ending.result
    case 'failed':
      throw ending.error
    case 'void':
      throw new EasyNetError('duplicate_call', 'The caller was told before that this call never came.')
  }
}

function answerOf(ending: Ending): CallOutcome {
  if (ending.state === 'void') return { state: 'never' }
  if (ending.state === 'failed' && ending.error.reason === 'interrupted') return { state: 'interrupted' }
  return ending
}

/** @param keepResult - false for streams: without its chunks the result is not the answer */
function toJournal(ending: Ending, keepResult: boolean): JournalEnd {
  if (ending.state === 'done') {
    const small = keepResult && approximateBytes(ending.result) <= MAX_JOURNALED_RESULT_BYTES
    return small ? { state: 'done', result: codec.encode(ending.result) } : { state: 'done' }
  }
  const error = ending.state === 'failed' ? ending.error : new EasyNetError('internal', 'It never ran.')
  return { state: error.reason === 'interrupted' ? 'interrupted' : 'failed', error: error.toJSON() }
}

function endingOf(record: JournalRecord): Ending {
  if (record.state === 'done' && record.result !== undefined) {
    return { state: 'done', result: codec.decode(record.result) as Value }
  }
  return { state: 'failed', error: errorOf(record) }
}

function errorOf(record: JournalRecord): EasyNetError {
  if (record.error !== undefined) return EasyNetError.fromData(record.error)
  if (record.state === 'done') {
    return new EasyNetError('duplicate_call', 'The call ran to its end; its result is no longer kept.')
  }
  return new EasyNetError('interrupted', 'The provider stopped while the call ran.')
}

/** Chunks are not kept, so a stream whose reader was lost cannot be answered again. */
function withoutChunks(ending: Ending): Ending {
  if (ending.state !== 'done') return ending
  return {
    state: 'failed',
    error: new EasyNetError('duplicate_call', 'The stream ended; its chunks are not kept.'),
  }
}
