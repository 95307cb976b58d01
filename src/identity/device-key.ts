import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { EasyNetError } from '../errors/error.ts'
import { ensurePrivateDir, requireOwner, writePrivateFile } from '../util/private-files.ts'

/** The Ed25519 key that makes this device what it is: whoever holds it is this device. */
export interface DeviceKey {
  /** The 32 secret bytes. libp2p's raw private key is `seed || publicKey`. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Ed25519 signature (64 bytes) of `bytes` as they are. Prefer `signWithDomain`. */
  sign(bytes: Uint8Array): Uint8Array
}

/**
 * The key in `keyFile` (PKCS#8 PEM, mode 0600), made at the first start. An existing file is never
 * written.
 *
 * @throws {@link EasyNetError} `unsafe_permissions` when others can read it or own its folder,
 *   `storage_failed` when it holds no Ed25519 key or cannot be read
 */
export function loadDeviceKey(keyFile: string): DeviceKey {
  try {
    ensurePrivateDir(dirname(keyFile))
    return fromPem(keyFile, readKeyFile(keyFile) ?? createKeyFile(keyFile))
  } catch (error) {
    if (error instanceof EasyNetError) throw error
    throw new EasyNetError(
      'storage_failed',
      `The device key ${keyFile} cannot be read or made: ${String(error)}`,
      {
        cause: error,
        hint: `ls -ld "${dirname(keyFile)}" "${keyFile}"`,
      },
    )
  }
}

/** A key from its 32 secret bytes. */
export function deviceKeyFromSeed(seed: Uint8Array): DeviceKey {
  // RFC 8410: the fixed beginning of a PKCS#8 Ed25519 key; the seed follows.
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  return fromKeyObject(createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' }))
}

function readKeyFile(keyFile: string): string | undefined {
  const stats = statSync(keyFile, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  requireOwner(keyFile, stats)
  const mode = stats.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new EasyNetError(
      'unsafe_permissions',
      `Other users can open the device key ${keyFile}: its mode is 0${mode.toString(8)}, it must be 0600.`,
      { hint: `chmod 600 "${keyFile}"`, details: { file: keyFile, mode: `0${mode.toString(8)}` } },
    )
  }
  return readFileSync(keyFile, 'utf8')
}

function createKeyFile(keyFile: string): string {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
  writePrivateFile(keyFile, pem, { overwrite: false })
  return pem
}

function fromPem(keyFile: string, pem: string): DeviceKey {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (error) {
    throw notAKey(keyFile, error)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(keyFile)
  return fromKeyObject(key)
}

function notAKey(keyFile: string, cause?: unknown): EasyNetError {
  return new EasyNetError(
    'storage_failed',
    `${keyFile} holds no Ed25519 key in PEM form; it was left as it is.`,
    {
      hint: `Restore it from a backup. Without one this device gets a new identity after: mv "${keyFile}" "${keyFile}.damaged"`,
      details: { file: keyFile },
      cause,
    },
  )
}

function fromKeyObject(key: KeyObject): DeviceKey {
  const { d, x } = key.export({ format: 'jwk' })
  return {
    seed: new Uint8Array(Buffer.from(d ?? '', 'base64url')),
    publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')),
    sign: (bytes) => new Uint8Array(sign(null, bytes, key)),
  }
}
