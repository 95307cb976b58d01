import { loadKeyFile } from './key-file.ts'
import { generateSigningKey, type SigningKey } from './signing-key.ts'

/**
 * The key that makes this device what it is, from `keyFile` (mode 0600); made at the first start.
 *
 * @throws {@link EasyNetError} `unsafe_permissions`, `storage_failed`
 */
export function loadDeviceKey(keyFile: string): SigningKey {
  const what = 'device key'
  const [key] = loadKeyFile(keyFile, { what, count: 1, create: () => [generateSigningKey()] })
  return key as SigningKey
}
