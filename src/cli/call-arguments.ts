import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import { EasyNetError } from '../errors/error.ts'
import { fromPlainJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'

/** Arguments of a call as they are sent. */
export interface CallArguments {
  args: Value[]
  kwargs: Record<string, Value>
}

/** A name, then how its value is written: text, JSON, or the bytes of a file. */
export const NAMED = /^([\p{L}_][\p{L}\p{N}_.-]*)(=|:=|@=)/u

/**
 * Reads the arguments of `easynet call`.
 *
 * @param words - text, `key=text`, `key:=json`, `key@=file`, or `-` for JSON from `stdin`: an object
 * becomes arguments by name, anything else one positional argument
 * @param list - the value of `--args`: positional arguments as a JSON list, before the others
 * @throws {@link EasyNetError} `invalid_request`
 */
export async function readArguments(
  words: readonly string[],
  list: string | undefined,
  stdin: NodeJS.ReadableStream,
): Promise<CallArguments> {
  const result: CallArguments = { args: list === undefined ? [] : parseList(list), kwargs: {} }
  if (words.filter((word) => word === '-').length > 1) {
    throw usage('"-" stands more than once.', 'Standard input can be read once.')
  }
  for (const word of words) {
    if (word === '-') {
      addFromStdin(result, parseJson(await readText(stdin), 'Standard input'))
      continue
    }
    const [prefix, key, form] = NAMED.exec(word) ?? []
    if (prefix === undefined || key === undefined) result.args.push(word)
    else addNamed(result, key, await readValue(key, form ?? '=', word.slice(prefix.length)))
  }
  return result
}

async function readValue(key: string, form: string, text: string): Promise<Value> {
  if (form === '=') return text
  if (form === ':=') return parseJson(text, `The value of ${key}`)
  try {
    return await readFile(text)
  } catch (error) {
    throw usage(`The file for ${key} cannot be read: ${text}`, `ls -l ${text}`, error)
  }
}

function addFromStdin(result: CallArguments, value: Value): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    result.args.push(value)
    return
  }
  for (const [key, item] of Object.entries(value)) addNamed(result, key, item)
}

function addNamed(result: CallArguments, key: string, value: Value): void {
  if (Object.hasOwn(result.kwargs, key)) throw usage(`The argument ${key} is given twice.`, 'Give it once.')
  // Not by assignment, which would make a key named __proto__ disappear.
  Object.defineProperty(result.kwargs, key, { value, enumerable: true, configurable: true, writable: true })
}

function parseList(text: string): Value[] {
  const list = parseJson(text, 'The value of --args')
  if (Array.isArray(list)) return list
  throw usage('The value of --args is not a JSON list.', `--args '["hello", 3]'`)
}

function parseJson(text: string, what: string): Value {
  try {
    return fromPlainJson(JSON.parse(text))
  } catch (error) {
    if (error instanceof EasyNetError) throw error
    throw usage(`${what} is not valid JSON.`, `Quote it for the shell: size:='{"w": 100}'`, error)
  }
}

function usage(message: string, hint: string, cause?: unknown): EasyNetError {
  return new EasyNetError('invalid_request', message, { hint, cause })
}
