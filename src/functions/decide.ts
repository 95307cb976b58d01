import { matchesPattern } from '../model/function-pattern.ts'
import type { Policy, PolicyRole } from './policy.ts'

/** Who asks, as far as it was proved. */
export type PolicyCaller =
  /** A program of this device. */
  | { kind: 'local' }
  /** A device whose owner belongs to a mesh of ours. */
  | { kind: 'member'; owner: string; role: PolicyRole; can: readonly string[] }
  /** A device of which only the key is known. */
  | { kind: 'stranger' }

export interface PolicyRequest {
  fn: string
  caller: PolicyCaller
  inputBytes: number
  /** Calls of the same owner in the last so many milliseconds, this one not counted. */
  recentCalls: (perMs: number) => number
}

export type DenyCode =
  | 'rule_not_understood'
  | 'private'
  | 'not_a_member'
  | 'owner_not_listed'
  | 'role_not_allowed'
  | 'not_in_certificate'
  | 'input_too_large'
  | 'rate_exceeded'

export type PolicyDecision = { allowed: true } | { allowed: false; code: DenyCode }

/** One thing that was looked at. */
export interface PolicyStep {
  code: DenyCode
  passed: boolean
  /** What was compared, for people. */
  text: string
}

interface Check {
  code: DenyCode
  passes: (policy: Policy, request: PolicyRequest) => boolean
  tell: (policy: Policy, request: PolicyRequest) => string
}

/** All have to pass; the order only decides which reason is told first. */
const CHECKS: readonly Check[] = [
  {
    code: 'rule_not_understood',
    passes: ({ understood }) => understood,
    tell: ({ understood }) =>
      understood ? 'every rule is understood' : 'a rule has a key or value that is not known',
  },
  {
    code: 'private',
    passes: ({ access }) => access !== 'private',
    tell: ({ access }) => `access is ${tellAccess(access)}`,
  },
  {
    code: 'not_a_member',
    passes: ({ access }, { caller }) => access === 'public' || caller.kind === 'member',
    tell: (_, { caller }) =>
      caller.kind === 'member' ? 'the caller is a member' : 'the caller is a stranger',
  },
  {
    code: 'owner_not_listed',
    passes: ({ access }, { caller }) =>
      typeof access !== 'object' || (caller.kind === 'member' && access.owners.includes(caller.owner)),
    tell: ({ access }) =>
      typeof access === 'object' ? `${access.owners.length} owners are listed` : 'no list of owners',
  },
  {
    code: 'role_not_allowed',
    passes: ({ roles }, { caller }) => caller.kind !== 'member' || roles.includes(caller.role),
    tell: ({ roles }) => `roles: ${roles.join(', ') || 'none'}`,
  },
  {
    code: 'not_in_certificate',
    passes: ({ access }, { caller, fn }) =>
      access === 'public' ||
      caller.kind !== 'member' ||
      caller.can.some((pattern) => matchesPattern(pattern, fn)),
    tell: (_, { caller }) =>
      caller.kind === 'member'
        ? `its certificate lists ${caller.can.join(', ') || 'nothing'}`
        : 'no certificate',
  },
  {
    code: 'input_too_large',
    passes: ({ maxInputBytes }, { inputBytes }) => inputBytes <= maxInputBytes,
    tell: ({ maxInputBytes }, { inputBytes }) => `${inputBytes} bytes of ${maxInputBytes}`,
  },
  {
    code: 'rate_exceeded',
    passes: ({ rates }, { recentCalls }) => rates.every(({ calls, perMs }) => recentCalls(perMs) < calls),
    tell: ({ rates }, { recentCalls }) =>
      rates.map(({ calls, perMs }) => `${recentCalls(perMs)} of ${calls} calls in ${perMs} ms`).join(', ') ||
      'no limit of calls',
  },
]

/** Whether the call may run. Pure; programs of this device may always. */
export function decide(policy: Policy, request: PolicyRequest): PolicyDecision {
  if (request.caller.kind === 'local') return { allowed: true }
  for (const { code, passes } of CHECKS) if (!passes(policy, request)) return { allowed: false, code }
  return { allowed: true }
}

/** Every check with what it saw, for `easynet policy test`. None for programs of this device. */
export function explain(policy: Policy, request: PolicyRequest): PolicyStep[] {
  if (request.caller.kind === 'local') return []
  return CHECKS.map(({ code, passes, tell }) => ({
    code,
    passed: passes(policy, request),
    text: tell(policy, request),
  }))
}

function tellAccess(access: Policy['access']): string {
  return typeof access === 'string' ? access : 'for listed owners'
}
