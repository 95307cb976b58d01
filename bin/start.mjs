// Plain JavaScript, which starts at once: runs a program from its bundle when that was made of the
// sources as they are now, else from the sources. Why, and how that is known: docs/adr/0008-bundle.md.

/** As `engines` in package.json says. */
const OLDEST_NODE = 24
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) refuseNode()

// An import of a part of Node evaluates all of it; this does not.
const { existsSync, readFileSync, statSync } = process.getBuiltinModule('node:fs')
const { enableCompileCache } = process.getBuiltinModule('node:module')
const { join } = process.getBuiltinModule('node:path')

const root = join(import.meta.dirname, '..')

export const PROGRAMS = { easynet: 'src/cli/main.ts', easynetd: 'src/daemon/main.ts' }

/** What tells one content of a file from another without reading it; undefined when it is not there. */
export function stateOf(file) {
  const stats = statSync(join(root, file), { throwIfNoEntry: false })
  // Tools can set the time of the last change of content, but not that of the last change of anything.
  return stats && `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`
}

/** Names a bundle. Its `ctime` changes while it is put in place. */
export function bundleStateOf(path) {
  const { size, mtimeMs } = statSync(path)
  return `${size} ${mtimeMs}`
}

function isFresh(name) {
  if (!existsSync(join(root, 'dist', `${name}.js`))) return false
  // An installation without sources.
  if (!existsSync(join(root, PROGRAMS[name]))) return true
  try {
    const made = JSON.parse(readFileSync(join(root, 'dist', `${name}.json`), 'utf8'))
    return (
      made.bundle === bundleStateOf(join(root, 'dist', `${name}.js`)) &&
      Object.entries(made.inputs).every(([file, state]) => stateOf(file) === state)
    )
  } catch {
    // Half of a build: the sources are always right.
    return false
  }
}

/** Runs a program in this process. */
export async function start(name) {
  // Where it cannot be written, the start takes longer, and that is all. Whoever can write it can write
  // the program beside it too.
  enableCompileCache(join(root, 'dist', 'cache'))
  await import(isFresh(name) ? `../dist/${name}.js` : `../${PROGRAMS[name]}`)
}

/** Everything else would only tell of a syntax error. */
function refuseNode() {
  const message = `EasyNet does not run on Node ${process.versions.node}.`
  const why = `It needs Node ${OLDEST_NODE} or newer.`
  const hint = 'Install it from https://nodejs.org, or run bin/easynet of a checkout, which brings its own.'
  if (process.argv.includes('--json')) {
    const error = {
      code: 'failed_precondition',
      reason: 'unsupported_runtime',
      message,
      hint,
      retryable: false,
    }
    process.stdout.write(`${JSON.stringify({ schema: 'error/1', error })}\n`)
  } else {
    process.stderr.write(`Error: ${message}\nWhy: ${why}\nTry: ${hint}\n`)
  }
  process.exit(70)
}
