// Plain JavaScript, no dependencies: this is the one file that must run on an old Node (>= 18).
// Installs the locked dependencies and the pinned Node when they are missing or out of date.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE_FOR_SETUP = 18
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stampFile = join(root, 'node_modules', '.easynet-setup')
const pinnedNode = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

function fail(what, why, remedy) {
  process.stderr.write(`Error: ${what}\nWhy:   ${why}\nTry:   ${remedy}\n`)
  process.exit(1)
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  })
  if (done.error || done.status !== 0) {
    const why = done.error ? done.error.message : `${command} ended with code ${done.status}`
    fail('The dependencies could not be installed.', why, `cd ${root} && ${command} ${args.join(' ')}`)
  }
}

/** Makes the checkout ready and returns the path of the pinned Node. */
export function setUp() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < OLDEST_NODE_FOR_SETUP) {
    fail(
      `Node ${process.version} is too old to set up EasyNet.`,
      `The set-up step needs Node ${OLDEST_NODE_FOR_SETUP} or newer; it then installs the Node that EasyNet runs on.`,
      'install a newer Node from https://nodejs.org, then run the command again',
    )
  }
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (isReady(lock)) return pinnedNode
  const release = takeLock()
  if (isReady(lock)) {
    release()
    return pinnedNode
  }
  process.stderr.write('Installing dependencies (once, about half a minute) …\n')
  const node = keepRunningNode()
  run('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'], root)
  // The `node` package fetches its platform's binary by an install script. Install scripts are off
  // (npm 12 skips them anyway), so this one step of it is run here, in the open.
  run(node, ['installArchSpecificPackage.js'], join(root, 'node_modules', 'node'))
  writeFileSync(stampFile, lock)
  release()
  build()
  return pinnedNode
}

/** `npm ci` begins by removing node_modules, and with it the pinned Node when that is what runs this. */
function keepRunningNode() {
  if (!process.execPath.startsWith(join(root, 'node_modules'))) return process.execPath
  const kept = join(root, '.easynet-setup-node')
  rmSync(kept, { force: true })
  linkSync(process.execPath, kept)
  process.once('exit', () => rmSync(kept, { force: true }))
  return kept
}

/** The programs in one file each: they start faster and take less memory. Without it the sources run. */
function build() {
  const done = spawnSync(pinnedNode, [join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] })
  if (done.status !== 0) process.stderr.write('The programs run from their sources, which is slower.\n')
}

function isReady(lock) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lock && existsSync(pinnedNode)
}

/** Two commands started together must not install over each other. A lock of a dead process is taken over. */
function takeLock() {
  const lockFile = join(root, '.easynet-setup.lock')
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      const release = () => rmSync(lockFile, { force: true })
      process.once('exit', release)
      return release
    } catch (error) {
      if (error.code !== 'EEXIST') fail('The checkout cannot be set up.', error.message, `ls -ld ${root}`)
    }
    if (holderIsGone(lockFile)) rmSync(lockFile, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
}

function holderIsGone(lockFile) {
  try {
    const pid = Number(readFileSync(lockFile, 'utf8'))
    if (pid > 0) process.kill(pid, 0)
    return false
  } catch (error) {
    // ESRCH: no such process. ENOENT: it has just released the lock.
    return error.code === 'ESRCH'
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${setUp()}\n`)
}
