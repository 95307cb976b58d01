import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { parseFunctionAddress } from '../../../src/model/address.ts'

test.each([
  ['text.upper', { name: 'text.upper' }],
  ['laptop/text.upper', { name: 'text.upper', peer: 'laptop' }],
  ['text.upper@^2', { name: 'text.upper', range: '^2' }],
  ['my laptop/f@>=1.2 <3', { name: 'f', peer: 'my laptop', range: '>=1.2 <3' }],
  ['图像.缩放@1.x', { name: '图像.缩放', range: '1.x' }],
])('%s is an address', (text, address) => {
  expect(parseFunctionAddress(text)).toEqual(address)
})

test.each(['', '/f', 'peer/', 'f@', 'a/b/c', '1f', 'f g', 'f@latest', '@^1', `f@${'1'.repeat(65)}`])(
  '"%s" is none',
  (text) => {
    expect(() => parseFunctionAddress(text)).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
  },
)

test('any text is an address or invalid_request, and the message stays short', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 5_000, size: 'max' }), (text) => {
      try {
        const { name, peer, range } = parseFunctionAddress(text)
        expect(
          `${peer === undefined ? '' : `${peer}/`}${name}${range === undefined ? '' : `@${range}`}`,
        ).toBe(text)
      } catch (error) {
        expect(error).toBeInstanceOf(EasyNetError)
        expect((error as EasyNetError).message.length).toBeLessThan(300)
      }
    }),
  )
})
