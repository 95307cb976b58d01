import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, HttpClient, type Mesh } from 'easynet'
import { type Background, startProcess, waitFor } from './processes.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import { type Report, shortId } from './report.ts'

const TYPESCRIPT_FILES = ['examples/text.ts', 'examples/images.ts']
const PYTHON_FILE = 'examples/hash.py'
/** What laptop has to find by itself, and where. */
const EXPECTED = {
  'text.stats': 'studio',
  'text.words': 'studio',
  'image.thumbnail': 'studio',
  'hash.sha256': 'lab',
  'hash.verify': 'lab',
  'hash.search': 'lab',
  'hash.searches': 'lab',
}

/** The mesh, seen from laptop. */
export interface DemoMesh extends AsyncDisposable {
  /** laptop's connection as a program. */
  laptop: Mesh
  api: HttpClient
  /** Between laptop and studio. */
  recorder: Recorder
}

interface Daemon extends Background {
  name: string
  home: string
  peerId: string
  address: string
  readyMs: number
}

/** Starts three daemons and serves the examples on two of them; the third finds them. */
export async function startMesh(folder: string, report: Report, signal: AbortSignal): Promise<DemoMesh> {
  requirePython()
  report.line(
    'EasyNet demo: three easynetd processes on this machine, each with an empty home and its own key.\n',
  )
  await using stack = new AsyncDisposableStack()
  const studio = await startDaemon(folder, 'studio', [], signal)
  const recorder = stack.use(await createRecorder(studio.address))
  const startedAt = performance.now()
  const [lab, laptop] = await Promise.all([
    startDaemon(folder, 'lab', ['--bootstrap', studio.address], signal),
    startDaemon(folder, 'laptop', ['--bootstrap', recorder.address], signal),
  ])
  const serving = [
    startProcess(folder, 'serve-typescript', 'easynet', [
      '--home',
      studio.home,
      'serve',
      ...TYPESCRIPT_FILES,
    ]),
    startProcess(folder, 'serve-python', 'easynet', ['--home', lab.home, 'serve', PYTHON_FILE]),
  ]
  const mesh = stack.use(await connect({ home: laptop.home, client: 'demo', signal }))
  const api = stack.use(await HttpClient.open({ home: laptop.home }))
  const found = await waitFor(
    'Finding the functions',
    [studio, lab, laptop, ...serving],
    signal,
    async () => {
      const functions = await mesh.functions()
      const complete = Object.entries(EXPECTED).every(([name, device]) =>
        functions.some((fn) => fn.name === name && fn.providers.some((provider) => provider.name === device)),
      )
      return complete ? functions : undefined
    },
  )
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)

  const introduce = ({ name, peerId, readyMs }: Daemon, what: string): void =>
    report.line(`  ${name.padEnd(6)}  ${shortId(peerId)}  ready in ${(readyMs / 1000).toFixed(1)} s  ${what}`)
  introduce(studio, `serves ${TYPESCRIPT_FILES.join(' and ')}`)
  introduce(lab, `serves ${PYTHON_FILE}`)
  introduce(laptop, 'calls; it was told the address of studio and nothing else')
  report.line(
    `\n${seconds} s after its start laptop had found lab and the ${found.length} functions of both.`,
  )
  const parts = stack.move()
  return { laptop: mesh, api, recorder, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

async function startDaemon(
  folder: string,
  name: string,
  args: string[],
  signal: AbortSignal,
): Promise<Daemon> {
  const home = join(folder, name)
  mkdirSync(home, { mode: 0o700 })
  // Nothing but the flags below decides whom this daemon meets.
  writeFileSync(join(home, 'config.toml'), '[network]\nbootstrap = []\n', { mode: 0o600 })
  const startedAt = performance.now()
  const local = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
  const background = startProcess(folder, name, 'easynetd', [
    '--home',
    home,
    '--name',
    name,
    ...local,
    ...args,
  ])
  await waitFor(`Starting ${name}`, [background], signal, () =>
    background.stdout().endsWith('\n') ? true : undefined,
  )
  const readyMs = performance.now() - startedAt
  const file = readFileSync(join(home, 'run', 'daemon.json'), 'utf8')
  const { peerId, addresses } = JSON.parse(file) as { peerId: string; addresses: string[] }
  const address = addresses.find((text) => text.startsWith('/ip4/127.0.0.1/'))
  if (address === undefined)
    throw new Error(`${name} listens nowhere on this machine: ${addresses.join(', ')}`)
  return { ...background, name, home, peerId, address, readyMs }
}

function requirePython(): void {
  const python = process.env['EASYNET_PYTHON'] ?? 'python3'
  const asked = spawnSync(python, ['-c', 'import sys; print(sys.version_info >= (3, 9))'], {
    encoding: 'utf8',
  })
  if (asked.stdout?.trim() === 'True') return
  const what = asked.error === undefined ? 'is older than 3.9' : 'cannot be run'
  throw new Error(`${python} ${what}. Install Python 3.9 or newer, or name one in EASYNET_PYTHON.`)
}
