import { registerHooks } from 'node:module'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EasyNetError } from '../errors/error.ts'
import type { FunctionDefinition } from './fn.ts'
import { connect } from './mesh.ts'
import { EXIT_UNUSABLE, functionsOf } from './served-module.ts'

// The process that `easynet serve FILE` starts for a JavaScript or TypeScript file. Its supervisor
// (cli/serve/) holds its stdin open: when that ends the supervisor is gone, and so are we.

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

await serve(process.argv[2] ?? '')
