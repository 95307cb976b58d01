import { EasyNetError } from '../errors/error.ts'
import type { FunctionRunner } from '../model/call.ts'
import {
  type FunctionDescriptor,
  type FunctionOptions,
  functionOptionsSchema,
  MAX_FUNCTIONS,
} from '../model/function.ts'

/** A function of this device and what runs it. */
export interface RegisteredFunction {
  descriptor: FunctionDescriptor
  runner: FunctionRunner
}

/** The functions that programs on this device offer now. */
export interface FunctionRegistry {
  /** All or none. @throws `invalid_request`, `function_exists` */
  register(functions: readonly FunctionOptions[], runner: FunctionRunner): FunctionRegistration
  find(name: string): RegisteredFunction | undefined
  list(): FunctionDescriptor[]
}

/** What one program registered; disposing it withdraws what is left. */
export interface FunctionRegistration extends Disposable {
  functions: FunctionDescriptor[]
  unregister(name: string): void
}

export interface RegistryInit {
  /** Called with all functions before new ones are added; throws to refuse them. */
  accept?: (functions: readonly FunctionDescriptor[]) => void
  /** Called after functions came or went. */
  onChange: (change: { added: FunctionDescriptor[]; removed: string[] }) => void
}

export function createFunctionRegistry({ accept, onChange }: RegistryInit): FunctionRegistry {
  const functions = new Map<string, RegisteredFunction>()

  const remove = (names: readonly string[], runner: FunctionRunner): void => {
    const removed = names.filter((name) => functions.get(name)?.runner === runner)
    for (const name of removed) functions.delete(name)
    if (removed.length > 0) onChange({ added: [], removed })
  }

  return {
    register(options, runner) {
      const added = options.map(parseOptions)
      const names = added.map((descriptor) => descriptor.name)
      checkNames(names, functions)
      accept?.([...[...functions.values()].map((entry) => entry.descriptor), ...added])
      for (const descriptor of added) functions.set(descriptor.name, { descriptor, runner })
      if (added.length > 0) onChange({ added, removed: [] })
      return {
        functions: added,
        unregister: (name) => remove([name], runner),
        [Symbol.dispose]: () => remove(names, runner),
      }
    },
    find: (name) => functions.get(name),
    list: () => [...functions.values()].map((entry) => entry.descriptor),
  }
}

function parseOptions(options: FunctionOptions): FunctionDescriptor {
  const parsed = functionOptionsSchema.safeParse(options)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw new EasyNetError(
    'invalid_request',
    `The function cannot be registered: ${where}${issue?.message ?? ''}`,
    {
      hint: 'The options are listed in docs/spec/attach.md.',
    },
  )
}

function checkNames(names: readonly string[], taken: ReadonlyMap<string, unknown>): void {
  const twice = names.find((name, index) => taken.has(name) || names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new EasyNetError('function_exists', `This device already offers a function "${twice}".`, {
      hint: 'Stop the program that offers it, or register under another name: easynet fn ls --local',
    })
  }
  if (taken.size + names.length > MAX_FUNCTIONS) {
    throw new EasyNetError('too_large', `A device can offer ${MAX_FUNCTIONS} functions at most.`)
  }
}
