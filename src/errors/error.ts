import { type ErrorCode, isReason, type Reason, REASONS } from './reasons.ts'

/** What an error looks like as data: in HTTP bodies, on the wire, in `--json` output. */
export interface ErrorData {
  code: ErrorCode
  reason: Reason
  message: string
  hint?: string
  retryable: boolean
  details?: Record<string, unknown>
}

export interface EasyNetErrorOptions extends ErrorOptions {
  /** What the reader can do about it: a command to paste or a setting to change. */
  hint?: string
  /** Machine-readable facts: numbers, names, limits. Never secrets, never remote stacks. */
  details?: Record<string, unknown>
  /** Overrides the reason's own answer to "may this be sent again?". */
  retryable?: boolean
  /** See {@link EasyNetError.notStarted}. */
  notStarted?: boolean
}

const brand = Symbol.for('easynet.error')
const MAX_REMOTE_TEXT = 2_000
/** Details of others are kept in logs and events, so larger ones are left out. */
const MAX_REMOTE_DETAILS = 16_384

/**
 * The one error class of EasyNet. Its `reason` is one of a closed set, its `code` follows from it.
 *
 * @example
 * throw new EasyNetError('no_provider', 'Nobody offers "image.resize".', { hint: 'easynet fn ls' })
 */
export class EasyNetError extends Error {
  override readonly name = 'EasyNetError'
  readonly code: ErrorCode
  readonly reason: Reason
  readonly retryable: boolean
  readonly hint?: string
  readonly details?: Record<string, unknown>
  /**
   * True when the one who says so knows that nothing has run: the call was refused or never sent. Only
   * the transport and the executor set it; a program's own error, whatever its reason, never has it.
   */
  readonly notStarted: boolean
  readonly [brand] = true

  constructor(reason: Reason, message: string, options: EasyNetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.code = REASONS[reason].code
    this.retryable = options.retryable ?? REASONS[reason].retryable
    this.notStarted = options.notStarted ?? false
    if (options.hint !== undefined) this.hint = options.hint
    if (options.details !== undefined) this.details = options.details
  }

  /** Works across two installed copies of this package, where plain `instanceof` does not. */
  static override [Symbol.hasInstance](value: unknown): value is EasyNetError {
    return typeof value === 'object' && value !== null && brand in value
  }

  /** The same error, from one who knows that nothing has run. */
  asNotStarted(): EasyNetError {
    return this.with({ notStarted: true })
  }

  /** A copy with other options; reason, message and what is not named stay. */
  with(options: EasyNetErrorOptions): EasyNetError {
    return new EasyNetError(this.reason, this.message, {
      cause: this.cause ?? this,
      retryable: this.retryable,
      notStarted: this.notStarted,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...options,
    })
  }

  /** The error as data. Causes and stacks stay on this device. */
  toJSON(): ErrorData {
    return {
      code: this.code,
      reason: this.reason,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      retryable: this.retryable,
      ...(this.details === undefined ? {} : { details: this.details }),
    }
  }

  /**
   * Any thrown value as an `EasyNetError`; unknown ones become `internal` with the original as cause.
   */
  static from(value: unknown, reason: Reason = 'internal'): EasyNetError {
    if (value instanceof EasyNetError) return value
    return new EasyNetError(reason, messageOf(value), { cause: value })
  }

  /** Rebuilds an error that another process sent. Unknown reasons become `internal`; texts are cut. */
  static fromData(data: unknown): EasyNetError {
    const given = typeof data === 'object' && data !== null ? (data as Partial<ErrorData>) : {}
    const reason = isReason(given.reason) ? given.reason : 'internal'
    const message = typeof given.message === 'string' ? given.message : 'The other side sent no message.'
    const options: EasyNetErrorOptions = {}
    if (typeof given.hint === 'string') options.hint = given.hint.slice(0, MAX_REMOTE_TEXT)
    if (typeof given.retryable === 'boolean') options.retryable = given.retryable
    const { details } = given
    if (typeof details === 'object' && details !== null && isSmall(details)) options.details = details
    return new EasyNetError(reason, message.slice(0, MAX_REMOTE_TEXT), options)
  }
}

/** Counts characters and bytes, and 8 for everything else. Ends also for what contains itself. */
function isSmall(details: object): boolean {
  let left = MAX_REMOTE_DETAILS
  const fits = (value: unknown): boolean => {
    left -= 8
    if (typeof value === 'string') left -= value.length
    if (value instanceof Uint8Array) left -= value.length
    else if (typeof value === 'object' && value !== null && left >= 0) {
      for (const [key, item] of Object.entries(value)) {
        left -= key.length
        if (left < 0 || !fits(item)) return false
      }
    }
    return left >= 0
  }
  return fits(details)
}

/** Programs throw anything, also what cannot become a text. */
function messageOf(value: unknown): string {
  if (value instanceof Error) return value.message
  try {
    return String(value)
  } catch {
    return 'Something that is no error was thrown.'
  }
}
