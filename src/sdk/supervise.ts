import type { FunctionView } from '../model/views.ts'
import { createDeadline } from '../util/signals.ts'
import { Session, type SessionInit } from './session.ts'

const ANSWER_TIMEOUT_MS = 10_000

export interface SuperviseInit extends Pick<SessionInit, 'target' | 'onDisconnect' | 'onReconnect'> {
  /** What the supervised process says in its `hello`. */
  group: string
  /** The process ignored a cancel, or its deadline: end it and start it again. */
  kill: (reason: string) => void
}

/** The standing of a process supervisor with the daemon; restored when the daemon restarts. */
export interface Supervision extends AsyncDisposable {
  /** Functions that the processes of the group offer. */
  functions: () => Promise<FunctionView[]>
}

/** Tells the daemon who can end the process of a group by force. */
export async function superviseGroup(init: SuperviseInit): Promise<Supervision> {
  const { target, group, kill, onDisconnect, onReconnect } = init
  const session = new Session({
    target,
    client: 'easynet serve',
    supervise: { group, kill },
    onDisconnect,
    onReconnect,
  })
  await session.open()
  return {
    async functions() {
      using deadline = createDeadline(ANSWER_TIMEOUT_MS)
      const connection = await session.ready(deadline.signal)
      const answer = await connection.request('functions', { scope: 'local', group })
      return (answer as { functions: FunctionView[] }).functions
    },
    [Symbol.asyncDispose]: () => session.close(),
  }
}
