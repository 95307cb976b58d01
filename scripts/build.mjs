// Plain JavaScript: `npm run build` makes dist/easynet.js and dist/easynetd.js, each program with all that
// it needs in one file, and notes which sources they were made of. See docs/adr/0008-bundle.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { bundleStateOf, PROGRAMS, stateOf } from '../bin/start.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
/** Beside the sources: what decides which packages these are, and how they are bundled. */
const ALSO = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json', 'scripts/build.mjs']

/**
 * Parts of Node are loaded when they are first needed. An `import` of one evaluates all of it: 30 ms for
 * `node:http`, which has a lazy `fetch` in it. Code that calls `require` asks for itself.
 */
const lazyBuiltins = {
  name: 'lazy-builtins',
  resolveId(source, importer, { kind }) {
    if (!isBuiltin(source)) return undefined
    const asIs = kind === 'require-call' || importer?.startsWith('\0') === true
    return asIs ? { id: source, external: true } : `\0builtin:${source}`
  },
  load(id) {
    if (!id.startsWith('\0builtin:')) return undefined
    return `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice('\0builtin:'.length))})`
  },
}

/** Notes the state of every source just before it is read: a change after that makes the bundle stale. */
function noteInputs(inputs) {
  return {
    name: 'note-inputs',
    load(id) {
      const file = relative(root, id)
      if (file.startsWith('src/')) inputs[file] = stateOf(file)
    },
  }
}

async function make(name, folder) {
  const inputs = Object.fromEntries(ALSO.map((file) => [file, stateOf(file)]))
  const bundle = await rolldown({
    cwd: root,
    input: PROGRAMS[name],
    platform: 'node',
    plugins: [lazyBuiltins, noteInputs(inputs)],
  })
  // In one file imports still run when they are reached. A program that runs for weeks needs nothing of
  // dist/ after its start, so a later build can take nothing from it.
  await bundle.write({ file: join(folder, `${name}.js`), format: 'esm', codeSplitting: false })
  await bundle.close()
  const note = { bundle: bundleStateOf(join(folder, `${name}.js`)), inputs }
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(note))
}

mkdirSync(dist, { recursive: true })
const folder = mkdtempSync(join(dist, 'build-'))
try {
  for (const name of Object.keys(PROGRAMS)) {
    await make(name, folder)
    for (const file of [`${name}.js`, `${name}.json`]) renameSync(join(folder, file), join(dist, file))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
// The first run keeps the compiled form, also for users who cannot write here.
rmSync(join(dist, 'cache'), { recursive: true, force: true })
for (const name of Object.keys(PROGRAMS)) {
  spawnSync(process.execPath, [join(root, 'bin', `${name}.mjs`), '--version'], { stdio: 'ignore' })
}
