// `npm run demo`: three easynetd processes find each other and call each other's functions.
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startMesh } from './demo/mesh.ts'
import { isDemoFolder, stopProcesses } from './demo/processes.ts'
import { createReport, type Report } from './demo/report.ts'
import { playScenes } from './demo/scenes.ts'

const USAGE = `Usage: npm run demo [-- OPTION]

  --keep        leave the three daemons running, and say how to use them
  --stop DIR    stop daemons that were kept, and remove their files
  --help        this text
`

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Stays in place while everything is stopped: a terminal and npm may each send the same Ctrl-C.
  process.on(signal, () => interrupted.abort(signal))
}
// The reader, such as `head`, has seen enough.
process.stdout.on('error', () => interrupted.abort('SIGPIPE'))
process.exit(await main(process.argv.slice(2)))

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv)
  if (options === undefined) return fail(USAGE, 2)
  if (options.help === true) process.stdout.write(USAGE)
  else if (options.stop !== undefined) return await stop(resolve(options.stop))
  else return await demo(options.keep === true, createReport(process.stdout))
  return 0
}

function readOptions(argv: string[]) {
  try {
    const options = {
      keep: { type: 'boolean' },
      stop: { type: 'string' },
      help: { type: 'boolean' },
    } as const
    return parseArgs({ args: argv, options }).values
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return undefined
  }
}

async function demo(keep: boolean, report: Report): Promise<number> {
  const startedAt = performance.now()
  // Short, because a Unix socket's path has at most 103 bytes.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'easynet-demo-')))
  let failure: string | undefined
  try {
    await using mesh = await startMesh(folder, report, interrupted.signal)
    await playScenes(mesh, report, interrupted.signal)
  } catch (error) {
    failure = messageOf(error)
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const wasInterrupted = interrupted.signal.aborted
  if (keep && failure === undefined && !wasInterrupted) {
    report.line(`Done in ${seconds} s.`)
    report.howToUse(folder)
    return 0
  }
  await cleanUp(folder)
  if (wasInterrupted)
    return fail(`Interrupted by ${interrupted.signal.reason}; everything was stopped.\n`, 130)
  if (failure !== undefined) return fail(`The demo failed: ${failure}\n`, 1)
  report.line(`Done in ${seconds} s; all processes have ended and their files are gone.`)
  return 0
}

async function stop(folder: string): Promise<number> {
  if (!existsSync(folder)) return fail(`There is no folder ${folder}: that mesh has been stopped.\n`, 1)
  if (!isDemoFolder(folder)) return fail(`${folder} was not made by this demo; nothing was stopped.\n`, 2)
  await cleanUp(folder)
  process.stdout.write('All processes have ended and their files are gone.\n')
  return 0
}

async function cleanUp(folder: string): Promise<void> {
  await stopProcesses(folder)
  rmSync(folder, { recursive: true, force: true })
}

function fail(message: string, code: number): number {
  process.stderr.write(message)
  return code
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
