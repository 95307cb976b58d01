import { realpathSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EasyNetError } from '../errors/error.ts'
import { type FunctionDefinition, isFunctionDefinition, type PlainFunction, plainFunction } from './fn.ts'
import { connect } from './mesh.ts'

// The process that `easynet serve FILE` starts for a JavaScript or TypeScript file. Its supervisor
// (cli/serve/) holds its stdin open: when that ends the supervisor is gone, and so are we.

/** Exit code for a file that cannot be served as it is: starting it again would not help. */
export const EXIT_UNUSABLE = 78

/**
 * The functions that a module offers: exported `fn(…)` definitions under their own names, other exported
 * functions under their export names, and a default export under the file's name.
 */
export function functionsOf(exported: Record<string, unknown>, file: string): FunctionDefinition[] {
  const seen = new Set<unknown>()
  const definitions: FunctionDefinition[] = []
  for (const [key, value] of Object.entries(exported)) {
    // A default export often is a named one too.
    if (seen.has(value)) continue
    seen.add(value)
    if (isFunctionDefinition(value)) definitions.push(value)
    else if (typeof value === 'function' && !isClass(value)) {
      const name = key === 'default' ? basename(file, extname(file)) : key
      definitions.push(plainFunction(name, value as PlainFunction))
    }
  }
  return definitions
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}

/** A file anywhere may import `easynet`: this package, as if the file lay in it. */
function provideThisPackage(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = specifier === 'easynet' || specifier.startsWith('easynet/')
      return next(specifier, isOurs ? { ...context, parentURL: import.meta.url } : context)
    },
  })
}

async function serve(file: string): Promise<void> {
  provideThisPackage()
  process.stdin
    .on('end', () => process.exit(0))
    .on('error', () => process.exit(0))
    .resume()
  let definitions: FunctionDefinition[]
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>
    definitions = functionsOf(module, file)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(EXIT_UNUSABLE)
  }
  if (definitions.length === 0) {
    process.stderr.write(`${file} exports no function.\n`)
    process.exit(EXIT_UNUSABLE)
  }
  try {
    const mesh = await connect({ client: basename(file) })
    await mesh.registerAll(definitions)
  } catch (error) {
    const failure = EasyNetError.from(error)
    process.stderr.write(`${failure.message}\n`)
    process.exit(
      failure.reason === 'function_exists' || failure.reason === 'invalid_request' ? EXIT_UNUSABLE : 1,
    )
  }
}

const [entry, file] = process.argv.slice(1)
if (entry !== undefined && file !== undefined && realpathSync(entry) === import.meta.filename)
  await serve(file)
