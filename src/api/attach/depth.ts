import { EasyNetError } from '../../errors/error.ts'
import { MAX_VALUE_DEPTH } from '../../model/value.ts'

/** What a value may have, and the levels of a message around it. */
const MAX_PARAMS_DEPTH = MAX_VALUE_DEPTH + 4

/** @throws `invalid_value` when `json` is nested deeper than what validation can walk through */
export function checkDepth(json: unknown, left: number = MAX_PARAMS_DEPTH): void {
  if (typeof json !== 'object' || json === null) return
  if (left === 0) {
    throw new EasyNetError('invalid_value', `The message is nested deeper than ${MAX_PARAMS_DEPTH} levels.`)
  }
  for (const item of Object.values(json)) checkDepth(item, left - 1)
}
