import type { Command } from 'commander'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { EasyNetError } from '../../errors/error.ts'
import type { Cli } from '../cli.ts'
import { peerIdOf } from '../peer-id.ts'
import { printFields } from './status.ts'

export function define(program: Command, cli: Cli): void {
  const { t, out } = cli
  const group = program.command('key').description(t('command.key'))
  group
    .command('show')
    .description(t('command.key.show'))
    .action(async () => {
      const file = cli.home.keyFile
      const bytes = readPublicKey(file)
      const peerId = peerIdOf(bytes)
      const publicKey = Buffer.from(bytes).toString('base64')
      const ownerFile = cli.home.ownerKeyFile
      // A home of 0.1 gets its owner key when a newer daemon starts.
      const owner = existsSync(ownerFile) ? Buffer.from(readPublicKey(ownerFile)).toString('hex') : null
      if (cli.options.json === true) {
        return out.json({ schema: 'key/1', peerId, type: 'ed25519', publicKey, file, owner })
      }
      if (cli.options.quiet === true) return out.line(peerId)
      await printFields(cli, [
        [t('status.peerId'), peerId],
        [t('key.publicKey'), `${publicKey}  (Ed25519, base64)`],
        [t('key.file'), file],
        [t('key.owner'), owner ?? ''],
        [t('key.file'), owner === null ? '' : ownerFile],
      ])
      out.note(t('key.secret'))
    })
}

/** The public half of the key in `file`; the secret one is not kept. @throws `storage_failed` */
function readPublicKey(file: string): Uint8Array {
  let key: KeyObject
  try {
    key = createPublicKey(readFileSync(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw noKey(file, cause)
    throw notAKey(file, cause)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(file)
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))
}

function noKey(file: string, cause: unknown): EasyNetError {
  return new EasyNetError('daemon_unreachable', `There is no key at ${file}.`, {
    hint: 'easynet up',
    details: { why: 'The first start of the daemon makes it.' },
    cause,
  })
}

function notAKey(file: string, cause?: unknown): EasyNetError {
  return new EasyNetError('storage_failed', `${file} cannot be read as an Ed25519 key in PEM form.`, {
    hint: 'easynet doctor',
    details: { file },
    cause,
  })
}
