import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, explain, type PolicyCaller, type PolicyRequest } from '../../../src/functions/decide.ts'
import { combineRules } from '../../../src/functions/policy.ts'

const ANN = 'a'.repeat(64)
const BOB = 'b'.repeat(64)
const CARL = 'c'.repeat(64)
const ask = (caller: PolicyCaller, changes: Partial<PolicyRequest> = {}): PolicyRequest => ({
  fn: 'llm.chat',
  caller,
  inputBytes: 10,
  recentCalls: () => 0,
  ...changes,
})
const member = (changes: Partial<Extract<PolicyCaller, { kind: 'member' }>> = {}): PolicyCaller => ({
  kind: 'member',
  owner: ANN,
  role: 'member',
  can: ['*'],
  ...changes,
})
const stranger: PolicyCaller = { kind: 'stranger' }
const codeOf = (rules: readonly unknown[], request: PolicyRequest): string => {
  const decision = decide(combineRules(rules), request)
  return decision.allowed ? 'allowed' : decision.code
}

test('without a rule members may call and strangers may not', () => {
  expect(codeOf([], ask(member()))).toBe('allowed')
  expect(codeOf([{}], ask(stranger))).toBe('not_a_member')
  expect(codeOf([{ access: 'private' }], ask({ kind: 'local' }))).toBe('allowed')
})

const CASES: [rules: unknown[], request: PolicyRequest, code: string][] = [
  [[{ access: 'private' }], ask(member()), 'private'],
  [[{ access: 'public' }], ask(stranger), 'allowed'],
  [[{ access: 'public' }], ask(member({ can: [] })), 'allowed'],
  [[{ access: 'public' }, { access: 'members' }], ask(stranger), 'not_a_member'],
  [[{ access: { owners: [ANN] } }], ask(member()), 'allowed'],
  [[{ access: { owners: [BOB] } }], ask(member()), 'owner_not_listed'],
  [
    [{ access: { owners: [ANN, BOB] } }, { access: { owners: [BOB, CARL] } }],
    ask(member()),
    'owner_not_listed',
  ],
  [[{ access: { owners: [] } }], ask(member()), 'owner_not_listed'],
  [[{ access: { owners: [ANN] } }], ask(stranger), 'not_a_member'],
  [[{ roles: ['owner'] }], ask(member()), 'role_not_allowed'],
  [[{ roles: ['owner', 'member'] }, { roles: ['member', 'guest'] }], ask(member()), 'allowed'],
  [[{}], ask(member({ role: 'guest', can: ['llm.*'] })), 'allowed'],
  [[{}], ask(member({ role: 'guest', can: ['text.*'] })), 'not_in_certificate'],
  [[{ maxInputBytes: 10 }], ask(member()), 'allowed'],
  [[{ maxInputBytes: 9 }], ask(member()), 'input_too_large'],
  [[{ rate: { calls: 3, perMs: 1_000 } }], ask(member(), { recentCalls: () => 2 }), 'allowed'],
  [[{ rate: { calls: 3, perMs: 1_000 } }], ask(member(), { recentCalls: () => 3 }), 'rate_exceeded'],
  [[{ access: 'public', onlyOn: 'weekdays' }], ask(member()), 'rule_not_understood'],
  [[{ access: { owners: [ANN], groups: [] } }], ask(member()), 'rule_not_understood'],
  [[{ access: 'everybody' }], ask(member()), 'rule_not_understood'],
  [[null], ask(member()), 'rule_not_understood'],
]
test.each(CASES)('%j: %j is %s', (rules, request, code) => {
  expect(codeOf(rules, request)).toBe(code)
})

const owners = fc.subarray([ANN, BOB, CARL])
const rule = fc.record(
  {
    access: fc.oneof(
      fc.constantFrom('private', 'members', 'public'),
      owners.map((list) => ({ owners: list })),
    ),
    roles: fc.subarray(['guest', 'member', 'owner']),
    price: fc.constantFrom('0', '0.02', '1', '10.000001'),
    rate: fc.record({ calls: fc.integer({ min: 0, max: 3 }), perMs: fc.constantFrom(1_000, 60_000) }),
    maxConcurrent: fc.integer({ min: 1, max: 5 }),
    maxQueue: fc.integer({ min: 0, max: 5 }),
    maxInputBytes: fc.integer({ min: 0, max: 20 }),
    timeoutMs: fc.integer({ min: 1, max: 5 }),
    newer: fc.constant(1),
  },
  { requiredKeys: [], noNullPrototype: true },
)
// Most rules are understood, or nothing would ever be allowed.
const rules = fc.array(
  fc.tuple(rule, fc.integer({ min: 0, max: 9 })).map(([drawn, keep]) => {
    const { newer, ...known } = drawn
    return keep === 0 && newer !== undefined ? drawn : known
  }),
  { maxLength: 4 },
)
const caller: fc.Arbitrary<PolicyCaller> = fc.oneof(
  fc.constant(stranger),
  fc.record({
    kind: fc.constant('member' as const),
    owner: fc.constantFrom(ANN, BOB, CARL),
    role: fc.constantFrom('guest' as const, 'member' as const, 'owner' as const),
    can: fc.subarray(['*', 'llm.*', 'text.upper']),
  }),
)
const request = fc
  .record({ caller, inputBytes: fc.integer({ min: 0, max: 20 }), recent: fc.integer({ min: 0, max: 3 }) })
  .map(({ caller, inputBytes, recent }) => ask(caller, { inputBytes, recentCalls: () => recent }))

test('a further rule never allows more, once somebody has spoken of access', () => {
  const seen = { allowed: 0, denied: 0 }
  fc.assert(
    fc.property(rules, rule, request, (some, further, asked) => {
      const spoken = [{ access: 'public' }, ...some]
      const [before, after] = [spoken, [...spoken, further]].map((all) => combineRules(all))
      if (before === undefined || after === undefined) return
      const wasAllowed = decide(before, asked).allowed
      if (decide(after, asked).allowed) expect(wasAllowed).toBe(true)
      seen[wasAllowed ? 'allowed' : 'denied'] += 1
      for (const limit of ['maxConcurrent', 'maxQueue', 'maxInputBytes', 'timeoutMs'] as const) {
        expect(after[limit]).toBeLessThanOrEqual(before[limit])
      }
      expect(after.priceMicrocredits >= before.priceMicrocredits).toBe(true)
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(200)
})

test('the order of rules does not matter, nor that one is there twice', () => {
  fc.assert(
    fc.property(rules, fc.infiniteStream(fc.nat()), (some, draws) => {
      const shuffled = some
        .map((one) => ({ one, at: draws.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one)
      expect(combineRules(shuffled)).toEqual(combineRules(some))
      expect(combineRules([...some, ...some])).toEqual(combineRules(some))
    }),
    { numRuns: 1_000 },
  )
})

test('an unknown key or value in any rule denies everybody but this device', () => {
  fc.assert(
    fc.property(rules, request, fc.string({ minLength: 1 }), (some, asked, key) => {
      fc.pre(
        ![
          'access',
          'roles',
          'price',
          'rate',
          'maxConcurrent',
          'maxQueue',
          'maxInputBytes',
          'timeoutMs',
        ].includes(key),
      )
      const policy = combineRules([...some, JSON.parse(`{${JSON.stringify(key)}:1}`)])
      expect(decide(policy, asked)).toEqual({ allowed: false, code: 'rule_not_understood' })
      expect(decide(policy, ask({ kind: 'local' }))).toEqual({ allowed: true })
    }),
  )
})

test('an explanation names the first failed check that the decision names', () => {
  fc.assert(
    fc.property(rules, request, (some, asked) => {
      const policy = combineRules(some)
      const decision = decide(policy, asked)
      const failed = explain(policy, asked).find(({ passed }) => !passed)
      expect(failed?.code).toBe(decision.allowed ? undefined : decision.code)
    }),
  )
  const told = explain(combineRules([{ maxInputBytes: 9 }]), ask(member())).map(({ text }) => text)
  expect(told).toContain('10 bytes of 9')
})
