import { loadKeyFile } from './key-file.ts'
import { generateSigningKey, type SigningKey } from './signing-key.ts'

/** What makes a person or organisation an owner. */
export interface OwnerKey {
  key: SigningKey
  /** Takes its place when it is lost or stolen; announced in every genesis from the beginning. */
  next: SigningKey
}

export function createOwnerKey(): OwnerKey {
  return { key: generateSigningKey(), next: generateSigningKey() }
}

/**
 * The owner key in `file` (mode 0600) and its successor; made at the first start.
 *
 * @throws {@link EasyNetError} `unsafe_permissions`, `storage_failed`
 */
export function loadOwnerKey(file: string): OwnerKey {
  const create = (): SigningKey[] => Object.values(createOwnerKey())
  const [key, next] = loadKeyFile(file, { what: 'owner key', count: 2, create })
  return { key, next } as OwnerKey
}
