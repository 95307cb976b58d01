import { createPublicKey, verify } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadDeviceKey } from '../../../src/identity/device-key.ts'
import { signingKeyFromSeed } from '../../../src/identity/signing-key.ts'
import { tempDir } from '../storage/temp-dir.ts'

const keyFileIn = (dir: string): string => join(dir, 'state', 'identity.key')

test('the first start makes a key that only the user can read; the next one finds it', () => {
  const file = keyFileIn(tempDir())
  const key = loadDeviceKey(file)
  expect([key.seed.length, key.publicKey.length]).toEqual([32, 32])
  expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700])
  expect(readdirSync(join(file, '..'))).toEqual(['identity.key'])
  expect(loadDeviceKey(file).seed).toEqual(key.seed)
  expect(signingKeyFromSeed(key.seed).publicKey).toEqual(key.publicKey)
})

test('signs plain Ed25519', () => {
  // RFC 8032, 7.1, test 2.
  const key = signingKeyFromSeed(
    Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex'),
  )
  expect(Buffer.from(key.publicKey).toString('hex')).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  )
  const signature = key.sign(Uint8Array.of(0x72))
  expect(Buffer.from(signature).toString('hex')).toMatch(/^92a009a9f0d4cab8720e820b5f642540/)
  const x = Buffer.from(key.publicKey).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  expect(verify(null, Uint8Array.of(0x72), publicKey, signature)).toBe(true)
})

test('refuses a key that others can read, and says how to change it', () => {
  const file = keyFileIn(tempDir())
  loadDeviceKey(file)
  chmodSync(file, 0o640)
  expect(() => loadDeviceKey(file)).toThrow(
    expect.objectContaining({
      reason: 'unsafe_permissions',
      message: expect.stringContaining('0640'),
      hint: `chmod 600 "${file}"`,
    }),
  )
})

test.skipIf(process.getuid?.() !== 0)('refuses a state folder that belongs to somebody else', () => {
  const file = keyFileIn(tempDir())
  mkdirSync(join(file, '..'))
  chownSync(join(file, '..'), 12_345, 12_345)
  expect(() => loadDeviceKey(file)).toThrow(
    expect.objectContaining({ reason: 'unsafe_permissions', message: expect.stringContaining('user 12345') }),
  )
})

const DAMAGED = ['', 'nonsense', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n']
test.each(DAMAGED)('a damaged key file is an error, and stays as it is (%j)', (text) => {
  const file = keyFileIn(tempDir())
  mkdirSync(join(file, '..'))
  writeFileSync(file, text, { mode: 0o600 })
  expect(() => loadDeviceKey(file)).toThrow(expect.objectContaining({ reason: 'storage_failed' }))
  expect(readFileSync(file, 'utf8')).toBe(text)
})
