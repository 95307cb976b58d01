import { extname } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import { EXIT_UNUSABLE } from '../../sdk/served-module.ts'
import type { Cli } from '../cli.ts'
import { shellWord } from '../shell-word.ts'

/** Why a file whose process has ended cannot be served. @param how - its exit code, or the name of a signal */
export function unusable({ t }: Cli, file: string, how: number | string): EasyNetError {
  const isPython = extname(file) === '.py'
  const silent = how === 0
  const again = t('serve.tryAgain', { file, command: `easynet serve ${shellWord(file)}` })
  const why = silent
    ? t('serve.whyNothing')
    : how === EXIT_UNUSABLE
      ? t('serve.whySaid')
      : t('serve.whyEnded', { how })
  return new EasyNetError('invalid_request', t('serve.unusable', { file }), {
    hint: silent && isPython ? t('serve.tryPython', { file }) : again,
    details: { why, file },
  })
}
