import { EasyNetError } from '../errors/error.ts'
import { FUNCTION_NAME } from './function.ts'

/** A function address: `name`, `peer/name`, `name@range` or `peer/name@range`. */
export interface FunctionAddress {
  name: string
  /** Peer id, short peer id or peer name. */
  peer: string | undefined
  /** Semver range, such as `^2`. */
  range: string | undefined
}

const RANGE = /^[\d.xX*^~<>= |-]{1,64}$/

/** @throws {@link EasyNetError} `invalid_request` when `text` is no address */
export function parseFunctionAddress(text: string): FunctionAddress {
  const slash = text.indexOf('/')
  const peer = slash === -1 ? undefined : text.slice(0, slash)
  const rest = text.slice(slash + 1)
  const at = rest.lastIndexOf('@')
  const name = at === -1 ? rest : rest.slice(0, at)
  const range = at === -1 ? undefined : rest.slice(at + 1)
  if (!FUNCTION_NAME.test(name) || peer === '' || (range !== undefined && !RANGE.test(range))) {
    throw new EasyNetError('invalid_request', `"${text.slice(0, 200)}" is not a function address.`, {
      hint: 'Write name, peer/name or name@^2, for example: easynet call laptop/text.upper hello',
    })
  }
  return { name, peer, range }
}
