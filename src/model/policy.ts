import { z } from 'zod'

// Who may call a function and how much, as programs, the configuration and `easynet fn policy` say it.

const rate = z.strictObject({
  /** Calls per caller's owner. */
  calls: z.number().int().min(0).max(1_000_000),
  perMs: z.number().int().min(1_000).max(86_400_000),
})

/** One rule. What it does not name it leaves to the others; unknown keys make it deny. */
export const policyRuleSchema = z.strictObject({
  access: z
    .union([
      z.enum(['private', 'members', 'public']),
      z.strictObject({
        /** Owner keys, hexadecimal. */
        owners: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(256),
      }),
    ])
    .optional(),
  roles: z
    .array(z.enum(['guest', 'member', 'owner']))
    .max(3)
    .optional(),
  /** Credits per call, a decimal. */
  price: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,6})?$/)
    .optional(),
  rate: rate.optional(),
  maxConcurrent: z.number().int().min(1).max(10_000).optional(),
  maxQueue: z.number().int().min(0).max(10_000).optional(),
  maxInputBytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  timeoutMs: z.number().int().min(1).max(86_400_000).optional(),
})
export type PolicyRule = z.output<typeof policyRuleSchema>
export type PolicyRate = z.output<typeof rate>
