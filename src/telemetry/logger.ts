import { destination, pino } from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** Logs facts: a constant message and an object with what differs. Errors go under the key `err`. */
export type LogFunction = (details: object, message: string) => void

export interface Logger {
  trace: LogFunction
  debug: LogFunction
  info: LogFunction
  warn: LogFunction
  error: LogFunction
  fatal: LogFunction
  /** The same log with more facts on every line, such as `{ part: 'network' }`. */
  child(facts: object): Logger
  /** May be changed while it runs. */
  level: string
}

export interface LoggerInit {
  /** @default 'info' */
  level?: LogLevel
  /** Where the JSON lines go. @default stderr, written at once so that the last line of a crash is kept */
  stream?: { write(line: string): unknown }
}

const SECRET_KEYS = ['token', 'authorization', 'Authorization', 'password', 'secret', 'seed', 'privateKey']
const BEARER = /\b(Bearer\s+)[\w.~+/-]+=*/g

/** JSON lines with ISO times. Tokens never reach them. */
export function createLogger(init: LoggerInit = {}): Logger {
  const target = init.stream ?? stderr()
  const logger = pino(
    {
      level: init.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[hidden]',
      },
    },
    // Error messages quote requests, so the line is searched as well.
    { write: (line: string) => target.write(line.replace(BEARER, '$1[hidden]')) },
  )
  return logger
}

function stderr(): NonNullable<LoggerInit['stream']> {
  const target = destination({ fd: 2, sync: true })
  // That the reader of the log has gone is no reason to stop.
  target.on('error', () => {})
  return target
}

/** A log that nobody reads. */
export function createSilentLogger(): Logger {
  return createLogger({ level: 'silent', stream: { write: () => true } })
}
