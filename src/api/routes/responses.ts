import type { ZodType } from 'zod'
import { errorSchema } from '../schemas.ts'

const errorContent = { 'application/json': { schema: errorSchema } }

const EVERY_ROUTE = {
  401: { description: 'The token is missing or wrong.', content: errorContent },
  403: { description: 'The request comes from a web page elsewhere.', content: errorContent },
  421: { description: 'The Host header does not name this daemon.', content: errorContent },
  500: { description: 'The daemon failed; its log says more.', content: errorContent },
}

const ERRORS = {
  400: { description: 'The request is not valid.', content: errorContent },
  404: { description: 'There is no such thing.', content: errorContent },
  413: { description: 'The body is too large.', content: errorContent },
  415: { description: 'The body is not application/json.', content: errorContent },
  429: { description: 'Too much at once; try again later.', content: errorContent },
  503: { description: 'The peer or the daemon cannot answer now.', content: errorContent },
  504: { description: 'No answer came before the deadline.', content: errorContent },
  499: { description: 'The call was cancelled.', content: errorContent },
  409: { description: 'The call was cut off, or it is a duplicate.', content: errorContent },
} as const

/** A success with a JSON body. */
export function json<T extends ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** The errors that an operation documents: those of every route and the given ones. */
export function errors(...statuses: (keyof typeof ERRORS)[]) {
  const own = Object.fromEntries(statuses.map((status) => [status, ERRORS[status]]))
  return { ...EVERY_ROUTE, ...own }
}
