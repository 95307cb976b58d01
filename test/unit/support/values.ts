import fc from 'fast-check'
import type { Value } from '../../../src/model/value.ts'

const key = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  fc.constantFrom('$bin', '$bytes', '$esc', '__proto__', 'constructor', 'toJSON', '0', 'then', ''),
)
const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  // -0 becomes 0 in JSON and CBOR.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 40 }),
)

/** Values as programs send them, with the keys that our markers and JavaScript make special. */
export function values(): fc.Arbitrary<Value> {
  return fc.letrec<{ value: Value; object: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 5 }),
      tie('object'),
    ),
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(objectOf),
  })).value
}

/** Without a prototype, so that `__proto__` is a key and decoded objects compare as equal. */
function objectOf(entries: readonly (readonly [string, Value])[]): Value {
  const object = Object.create(null) as Record<string, Value>
  for (const [name, value] of entries) object[name] = value
  return object
}
