import { toPlainJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'

/** A value as people read it: text without quotes, everything else as JSON. */
export function formatValue(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(toPlainJson(value))
}
