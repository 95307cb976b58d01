import type { PeerRef } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import type { Deadline } from '../../util/signals.ts'
import type { CallContext } from '../function-types.ts'
import type { InvokeParams } from './protocol.ts'

const NO_INPUT: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
}

/** What a context needs of the run that it belongs to. */
export interface ContextOwner {
  readonly deadline: Deadline
  readonly input: AsyncIterable<Value> | undefined
  notify(method: string, params: object): void
}

/** What a function is told; what few functions look at is made when they do. */
export class Context implements CallContext {
  readonly #deadline: Deadline
  readonly deadline: number
  readonly caller: PeerRef
  readonly callId: string
  readonly traceparent: string
  readonly input: AsyncIterable<Value>
  readonly budget = null
  // Fields: functions take them out of their context.
  readonly remainingMs: CallContext['remainingMs']
  readonly progress: CallContext['progress']
  readonly log: CallContext['log']

  constructor(owner: ContextOwner, invoke: InvokeParams) {
    const { deadline } = owner
    this.#deadline = deadline
    this.deadline = Date.now() + invoke.timeoutMs
    this.caller = invoke.caller
    this.callId = invoke.id
    this.traceparent = invoke.traceparent ?? ''
    this.input = owner.input ?? NO_INPUT
    this.remainingMs = () => deadline.remainingMs()
    this.progress = (value) => owner.notify('progress', { value })
    this.log = (message, level = 'info') => owner.notify('log', { level, message })
  }

  get signal(): AbortSignal {
    return this.#deadline.signal
  }
}
