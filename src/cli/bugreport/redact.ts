const PEER_ID = /\b(?:12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|Qm[1-9A-HJ-NP-Za-km-z]{44})\b/g
const MULTIADDR_HOST = /(\/(?:ip[46]|dns[46]?|dnsaddr)\/)([^/\s"',]+)/g
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g
const IPV6 =
  /(?<![\w:.])(?:(?:[\da-f]{1,4}:){7}[\da-f]{1,4}|(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?::(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?)(?![\w:])/gi
/** Tokens are 64 hex digits; so are digests, which a report does not need. */
const LONG_HEX = /\b[\da-fA-F]{32,}\b/g
const SECRET_KEY = /^(?:.*token|authorization|password|secret|seed|privatekey|cookie)$/i
const BEARER = /\b(Bearer\s+)[\w.~+/-]+=*/gi
const PEM = /-----BEGIN [^-]*KEY-----[\s\S]*?-----END [^-]*KEY-----/g
/** Whoever has it can become a member. */
const JOIN_LINK = /easynet:\/\/join\/[^\s"'<>]+/g

/** Fields of log lines whose texts others chose. */
const NAME_KEYS = new Set(['name', 'peerName', 'hostname'])

/** Addresses that say nothing about anybody. */
const isNobodys = (host: string): boolean =>
  host === 'localhost' || host.startsWith('127.') || ['0.0.0.0', '::', '::1', '224.0.0.251'].includes(host)

export interface RedactInit {
  /** Texts and what stands for them: names and ids that are known. */
  known: ReadonlyMap<string, string>
  /** The user's folder, which has the user's name in it. */
  homeDir: string
}

/**
 * A function that copies a document without secrets and without what tells who others are. The same peer
 * id always becomes the same word, so that a report can still be followed.
 */
export function createRedactor({ known, homeDir }: RedactInit): (value: unknown) => unknown {
  const words = new Map(known)
  const idWord = (id: string): string => {
    const word = words.get(id) ?? `<peer-${words.size + 1}>`
    words.set(id, word)
    return word
  }
  const names = anyOf([...known.keys()].filter((text) => text.length >= 2))

  const redactText = (text: string): string => {
    return text
      .replaceAll(names, (name) => known.get(name) ?? name)
      .replaceAll(PEM, '<secret>')
      .replaceAll(JOIN_LINK, '<secret>')
      .replaceAll(BEARER, '$1<secret>')
      .replaceAll(PEER_ID, idWord)
      .replaceAll(MULTIADDR_HOST, (all, kind: string, host: string) =>
        isNobodys(host) ? all : `${kind}<address>`,
      )
      .replaceAll(IPV4, (address) => (isNobodys(address) ? address : '<address>'))
      .replaceAll(IPV6, (address) => (isNobodys(address) ? address : '<address>'))
      .replaceAll(LONG_HEX, '<hex>')
      .replaceAll(homeDir.length > 1 ? homeDir : '\0', '~')
  }
  const redact = (value: unknown, key = ''): unknown => {
    if (SECRET_KEY.test(key)) return '<secret>'
    if (typeof value === 'string')
      return NAME_KEYS.has(key) ? (words.get(value) ?? '<name>') : redactText(value)
    if (Array.isArray(value)) return value.map((item) => redact(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [redactText(name), redact(item, name)]),
    )
  }
  return (value) => redact(value)
}

/** Any of these texts where it is not part of a longer word; the longest, since one may be part of another. */
function anyOf(texts: readonly string[]): RegExp {
  const literals = [...texts]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  // Without any, a pattern that matches nowhere.
  const pattern = literals.length === 0 ? '[]' : literals.join('|')
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${pattern})(?![\\p{L}\\p{N}])`, 'gu')
}
