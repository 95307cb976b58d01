import fc from 'fast-check'

// What does not belong in a request.

const nested = (open: string, inner: string, close: string, depth: number): string =>
  open.repeat(depth) + inner + close.repeat(depth)

const WRONG_TYPES = ['null', 'true', '""', '"x"', '[]', '{}', '[null]']
const NUMBERS = ['0', '-1', '1.5', '1e400', '-0', '9007199254740993']
const TEXTS = ['"\\ud800"', '"\\u0000"', '"\\u202e"', '"🙂"', '"../../etc/passwd"', '"a/b@^1"', '"/"', '"@"']
const PROTOTYPES = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"a":1,"a":2}',
]
const MARKERS = [
  '{"$bytes":1}',
  '{"$bytes":"*"}',
  '{"$bytes":"aGk="}',
  '{"$bin":0}',
  '{"$esc":1}',
  '{"$esc":{"$bin":0}}',
]
const DEEP = [
  ...[63, 70, 20_000].map((depth) => nested('[', '', ']', depth)),
  ...[63, 70, 5_000].map((depth) => nested('{"a":', '1', '}', depth)),
]
const HUGE = [JSON.stringify('x'.repeat(100_000)), `[${'0,'.repeat(2_000)}0]`, `[${'[],'.repeat(50_000)}[]]`]

/** JSON texts of the wrong type, size or form, and some that are right. */
export const nastyJson: fc.Arbitrary<string> = fc.constantFrom(
  ...WRONG_TYPES,
  ...NUMBERS,
  ...TEXTS,
  ...PROTOTYPES,
  ...MARKERS,
  ...DEEP,
  ...HUGE,
)

/** Keys that objects of ours do not have, or that JavaScript gives a meaning. */
export const nastyKeys: fc.Arbitrary<string> = fc.constantFrom(
  'extra',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  'FN',
  '\u0000',
  'é',
  '🙂',
)

/** Whole bodies that are no JSON, or not the object that is expected. */
export const nastyBodies: fc.Arbitrary<Buffer> = fc.oneof(
  nastyJson.map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      '',
      ' ',
      '{',
      '}',
      '{]',
      '{"fn":}',
      "{'fn':1}",
      '{"fn":"x"}}',
      '{"fn":"x",}',
      'undefined',
      'fn=x',
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
)

/** Changes of bytes: what is no UTF-8, what is cut. */
export const nastyBytes: fc.Arbitrary<(body: Buffer) => Buffer> = fc.oneof(
  fc
    .tuple(fc.constantFrom('ff', 'c328', 'c080', 'eda080', 'f4908080', 'e282'), fc.nat({ max: 999 }))
    .map(([hex, where]) => (body: Buffer) => {
      const at = where % (body.length + 1)
      return Buffer.concat([body.subarray(0, at), Buffer.from(hex, 'hex'), body.subarray(at)])
    }),
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((part) => (body: Buffer) => body.subarray(0, Math.floor(part * body.length))),
  fc.constant((body: Buffer) => Buffer.concat([Buffer.from('efbbbf', 'hex'), body])),
  fc.constant((body: Buffer) => Buffer.from(body.toString(), 'utf16le')),
)

/** Parts of a path or query as they are sent, without further encoding. */
export const nastyTargets: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    '%',
    '%ff',
    '%00',
    '%2F',
    '%2e%2e',
    '..',
    '.',
    '*',
    '%F0%9F%99%82',
    '%u0041',
    '%0d%0aX:1',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '{name}',
    '%3Cscript%3E',
    "'%20or%20'1",
    '\u00e9',
    ';a=b',
    ':id',
  ),
  fc.constantFrom('x'.repeat(257), 'x'.repeat(600), 'x'.repeat(9_000), '%20'.repeat(300)),
  fc.string({ unit: 'binary', maxLength: 20 }).map(encodeURIComponent),
)

/** Header values that HTTP allows. */
export const nastyHeaders: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    '-1',
    '0',
    '1',
    '1e3',
    '0x1',
    '99999999999999999999',
    'NaN',
    'x'.repeat(33),
    'x'.repeat(600),
  ),
  fc.constantFrom('\u00ff\u00fe', '00-ff-ff-ff', '()', '=', ',,,', '\t', '"', 'null', 'x'.repeat(9_000)),
)
