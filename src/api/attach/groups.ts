import { EasyNetError } from '../../errors/error.ts'
import type { FunctionRunner } from '../../model/call.ts'

/** Ends the processes of a group by force. */
type Kill = (reason: string) => void

/** Which connection owns the process behind which other one; see "Managed processes" in the spec. */
export interface Groups {
  /** A program says whose it is: its runner can be killed while a supervisor is there. */
  join(group: string, runner: FunctionRunner, offered: () => Iterable<string>): () => void
  /** A supervisor takes a group. @throws `invalid_request` when it has one */
  supervise(group: string, kill: Kill): () => void
  /** Names of the functions that the programs of a group offer now. */
  offered(group: string): Set<string>
}

export function createGroups(): Groups {
  const supervisors = new Map<string, Kill>()
  const members = new Map<string, Map<FunctionRunner, () => Iterable<string>>>()

  return {
    join(group, runner, offered) {
      const runners = members.get(group) ?? new Map<FunctionRunner, () => Iterable<string>>()
      members.set(group, runners.set(runner, offered))
      const kill = supervisors.get(group)
      if (kill !== undefined) runner.kill = kill
      return () => {
        runners.delete(runner)
        if (runners.size === 0) members.delete(group)
      }
    },
    supervise(group, kill) {
      if (supervisors.has(group)) {
        throw new EasyNetError('invalid_request', 'This group has a supervisor already.')
      }
      supervisors.set(group, kill)
      for (const [runner] of members.get(group) ?? []) runner.kill = kill
      return () => {
        supervisors.delete(group)
        for (const [runner] of members.get(group) ?? []) delete runner.kill
      }
    },
    offered: (group) => new Set([...(members.get(group)?.values() ?? [])].flatMap((names) => [...names()])),
  }
}
