/** Where the control API writes what only the operator needs to know. A pino logger fits. */
export interface ApiLogger {
  debug(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** Numbers of the daemon, as text. */
export interface MetricsSource {
  /** Media type of the text. */
  readonly contentType: string
  text(): Promise<string>
}

/** Says nothing: for tests. */
export const silentLogger: ApiLogger = { debug() {}, warn() {}, error() {} }
