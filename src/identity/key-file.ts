import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { EasyNetError } from '../errors/error.ts'
import { ensurePrivateDir, requireOwner, writePrivateFile } from '../util/private-files.ts'
import { type SigningKey, signingKeyFromPem, toPem } from './signing-key.ts'

const PEM_BLOCK = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g

export interface KeyFileInit {
  /** What the keys are, for messages: `device key`. */
  what: string
  /** How many keys the file holds. */
  count: number
  /** Makes them when the file is not there yet. */
  create: () => SigningKey[]
}

/**
 * The Ed25519 keys in `file` (PKCS#8 PEM, mode 0600), made when it is not there. An existing file is
 * never written.
 *
 * @throws {@link EasyNetError} `unsafe_permissions` when others can read it or own its folder,
 *   `storage_failed` when it holds something else or cannot be read
 */
export function loadKeyFile(file: string, init: KeyFileInit): SigningKey[] {
  try {
    ensurePrivateDir(dirname(file))
    const text = readPrivateText(file, init.what)
    if (text !== undefined) return fromText(file, text, init)
    const keys = init.create()
    writePrivateFile(file, keys.map(toPem).join(''), { overwrite: false })
    return keys
  } catch (error) {
    if (error instanceof EasyNetError) throw error
    throw new EasyNetError(
      'storage_failed',
      `The ${init.what} ${file} cannot be read or made: ${String(error)}`,
      { cause: error, hint: `ls -ld "${dirname(file)}" "${file}"` },
    )
  }
}

function readPrivateText(file: string, what: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  requireOwner(file, stats)
  const mode = stats.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new EasyNetError(
      'unsafe_permissions',
      `Other users can open the ${what} ${file}: its mode is 0${mode.toString(8)}, it must be 0600.`,
      { hint: `chmod 600 "${file}"`, details: { file, mode: `0${mode.toString(8)}` } },
    )
  }
  return readFileSync(file, 'utf8')
}

function fromText(file: string, text: string, { what, count }: KeyFileInit): SigningKey[] {
  try {
    const keys = [...text.matchAll(PEM_BLOCK)].map(([pem]) => signingKeyFromPem(pem))
    if (keys.length === count) return keys
    throw new TypeError(`${keys.length} keys`)
  } catch (cause) {
    throw new EasyNetError(
      'storage_failed',
      `${file} holds no Ed25519 key in PEM form that is the ${what}; it was left as it is.`,
      {
        hint: `Restore it from a backup. Without one a new ${what} is made after: mv "${file}" "${file}.damaged"`,
        details: { file },
        cause,
      },
    )
  }
}
