// Shapes of docs/spec/attach.md; its numbers are in model/attach.ts.

export type MessageId = number | string

/** Who we are, as `hello` returns it. */
export interface HelloResult {
  protocol: number
  peerId: string
  name: string
  version: string
}

/** The parameters of `invoke`. */
export interface InvokeParams {
  id: string
  fn: string
  args: unknown[]
  kwargs: Record<string, unknown>
  caller: { peerId: string; name: string }
  timeoutMs: number
  input?: boolean
  /** Absent: the daemon is of a version without it. */
  traceparent?: string
}
