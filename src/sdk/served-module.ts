import { basename, extname } from 'node:path'
import { type FunctionDefinition, isFunctionDefinition, type PlainFunction, plainFunction } from './fn.ts'

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
