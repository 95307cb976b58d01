import { type PolicyRate, type PolicyRule, policyRuleSchema } from '../model/policy.ts'

// What several rules together allow. A rule can only take away, so their order does not matter, and a
// rule that is not understood takes everything away.

export type Access = 'private' | 'members' | 'public' | { owners: readonly string[] }
export type PolicyRole = 'guest' | 'member' | 'owner'

/** All rules of a function in one. */
export interface Policy {
  access: Access
  /** In alphabetical order. */
  roles: readonly PolicyRole[]
  /** Microcredits per call. */
  priceMicrocredits: bigint
  /** All of them hold at once. */
  rates: readonly PolicyRate[]
  maxConcurrent: number
  maxQueue: number
  maxInputBytes: number
  timeoutMs: number
  /** False when a rule was not understood: then it allows nothing. */
  understood: boolean
}

const NO_RULES: Policy = {
  access: 'public',
  roles: ['guest', 'member', 'owner'],
  priceMicrocredits: 0n,
  rates: [],
  maxConcurrent: Number.POSITIVE_INFINITY,
  maxQueue: Number.POSITIVE_INFINITY,
  maxInputBytes: Number.POSITIVE_INFINITY,
  timeoutMs: Number.POSITIVE_INFINITY,
  understood: true,
}

/**
 * @param rules - as they came from a program, a file or the command line; when none of them speaks of
 *   access, members may call
 */
export function combineRules(rules: readonly unknown[]): Policy {
  const parsed = rules.map((rule) => policyRuleSchema.safeParse(rule))
  const understood = parsed.every(({ success }) => success)
  const known = parsed.flatMap(({ data }) => (data === undefined ? [] : [data]))
  const spoken = known.some(({ access }) => access !== undefined)
    ? known
    : [...known, { access: 'members' } as const]
  return spoken.map(policyOf).reduce(narrow, { ...NO_RULES, understood })
}

/** What both allow. */
export function narrow(a: Policy, b: Policy): Policy {
  return {
    access: narrowAccess(a.access, b.access),
    roles: a.roles.filter((role) => b.roles.includes(role)),
    priceMicrocredits: a.priceMicrocredits > b.priceMicrocredits ? a.priceMicrocredits : b.priceMicrocredits,
    rates: narrowRates([...a.rates, ...b.rates]),
    maxConcurrent: Math.min(a.maxConcurrent, b.maxConcurrent),
    maxQueue: Math.min(a.maxQueue, b.maxQueue),
    maxInputBytes: Math.min(a.maxInputBytes, b.maxInputBytes),
    timeoutMs: Math.min(a.timeoutMs, b.timeoutMs),
    understood: a.understood && b.understood,
  }
}

function narrowAccess(a: Access, b: Access): Access {
  if (a === 'private' || b === 'private') return 'private'
  if (typeof a === 'object' && typeof b === 'object') {
    const also = new Set(b.owners)
    return { owners: a.owners.filter((owner) => also.has(owner)) }
  }
  if (typeof a === 'object') return a
  if (typeof b === 'object') return b
  return a === 'members' || b === 'members' ? 'members' : 'public'
}

/** The least number of calls for each span, shortest span first. */
function narrowRates(rates: readonly PolicyRate[]): PolicyRate[] {
  const least = new Map<number, number>()
  for (const { calls, perMs } of rates) least.set(perMs, Math.min(calls, least.get(perMs) ?? calls))
  return [...least].sort(([a], [b]) => a - b).map(([perMs, calls]) => ({ perMs, calls }))
}

function policyOf(rule: PolicyRule): Policy {
  const { access, roles, price, rate } = rule
  return {
    access:
      typeof access === 'object'
        ? { owners: [...new Set(access.owners)].sort() }
        : (access ?? NO_RULES.access),
    roles: NO_RULES.roles.filter((role) => roles?.includes(role) ?? true),
    priceMicrocredits: price === undefined ? 0n : toMicrocredits(price),
    rates: rate === undefined ? [] : [rate],
    maxConcurrent: rule.maxConcurrent ?? NO_RULES.maxConcurrent,
    maxQueue: rule.maxQueue ?? NO_RULES.maxQueue,
    maxInputBytes: rule.maxInputBytes ?? NO_RULES.maxInputBytes,
    timeoutMs: rule.timeoutMs ?? NO_RULES.timeoutMs,
    understood: true,
  }
}

/** `0.02` → 20000n: as text, without floating point. */
function toMicrocredits(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}
