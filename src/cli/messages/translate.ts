import type { EasyNetError } from '../../errors/error.ts'
import { en, type MessageKey } from './en.ts'
import { whyEn, type WhyTexts } from './why.ts'

/** The text of `key` with its `{values}` filled in. */
export type Translate = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string

export interface Texts {
  language: 'en' | 'zh'
  t: Translate
  /** Why an error came about, as a sentence. */
  why(error: EasyNetError): string
  /** What happened. @param message - the error's own, in English */
  what(error: EasyNetError, message: string): string
  /** A hint or reason that is said in English. */
  said(text: string): string
}

/** `EASYNET_LANG`, else the locale variables in the order of POSIX. */
function chooseLanguage(env: NodeJS.ProcessEnv): 'en' | 'zh' {
  const chosen = [env['EASYNET_LANG'], env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find(
    (text) => text !== undefined && text !== '',
  )
  return chosen?.toLowerCase().startsWith('zh') === true ? 'zh' : 'en'
}

export async function loadTexts(env: NodeJS.ProcessEnv): Promise<Texts> {
  if (chooseLanguage(env) === 'en') return createTexts('en', en, whyEn)
  const [{ zh }, { whyZh }, { whatZh }, { saidZh }] = await Promise.all([
    import('./zh.ts'),
    import('./why.ts'),
    import('./errors-zh.ts'),
    import('./said-zh.ts'),
  ])
  return { ...createTexts('zh', zh, whyZh), what: whatZh, said: saidZh }
}

function createTexts(
  language: Texts['language'],
  catalogue: Readonly<Record<MessageKey, string>>,
  why: WhyTexts,
): Texts {
  return {
    language,
    t: (key, values = {}) =>
      catalogue[key].replaceAll(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all)),
    why: (error) => why.reasons[error.reason] ?? why.codes[error.code],
    what: (_, message) => message,
    said: (text) => text,
  }
}
