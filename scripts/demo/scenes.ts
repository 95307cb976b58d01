import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type CallInfo, EasyNetError, type FunctionDefinition } from 'easynet'
import { thumbnail } from '../../examples/images.ts'
import { stats } from '../../examples/text.ts'
import type { DemoMesh } from './mesh.ts'
import { drawJpeg } from './picture.ts'
import { waitFor } from './processes.ts'
import type { Ran, Report } from './report.ts'

const EXAMPLES = resolve(import.meta.dirname, '../../examples/data')
const letter = readFileSync(join(EXAMPLES, 'letter.txt'), 'utf8')
const picture = new Uint8Array(readFileSync(join(EXAMPLES, 'coast.jpg')))
/** Nobody finds a SHA-256 with so many zeros in front: this runs until it is stopped. */
const ENDLESS_ZEROS = 40
const CANCEL_AFTER_MS = 500

interface Searches {
  running: number
  stopped: number
  tried: number
}

/** Calls the functions of the other two devices, and checks each result against one computed here. */
export async function playScenes(mesh: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  for (const play of [
    textStatistics,
    sha256,
    makeThumbnail,
    streamWords,
    cancelSearch,
    failing,
    byAddress,
    secrecy,
  ]) {
    signal.throwIfAborted()
    await play(mesh, report, signal)
  }
  report.line()
}

async function textStatistics({ laptop }: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene('TypeScript on studio: statistics of letter.txt, English and Chinese')
  const info = await laptop.callWithInfo(stats, [letter], { signal })
  const result = info.result as Record<string, number>
  same('text.stats', result, await here(stats, letter))
  ranOn('studio', info)
  report.ran('text.stats', info)
  const { lines, sentences, words, chineseWords, characters } = result
  report.detail(
    `${lines} lines, ${sentences} sentences, ${words} words (${chineseWords} of them Chinese), ${characters} characters`,
  )
}

async function sha256({ laptop }: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene(`Python on lab: SHA-256 of coast.jpg, ${picture.length} bytes`)
  const info = await laptop.callWithInfo('hash.sha256', [picture], { signal })
  same('hash.sha256', info.result, digestOf(picture))
  ranOn('lab', info)
  report.ran('hash.sha256', info)
  report.detail(digestOf(picture))
}

async function makeThumbnail({ laptop }: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene('An image function: coast.jpg goes there, a thumbnail comes back')
  const input = { image: picture, width: 44 }
  const info = await laptop.callWithInfo(thumbnail, [input], { signal })
  const small = info.result as unknown as { image: Uint8Array; width: number; height: number }
  const expected = (await here(thumbnail, input)) as typeof small
  same('image.thumbnail', [...small.image], [...expected.image])
  ranOn('studio', info)
  report.ran('image.thumbnail', info)
  report.detail(
    `${picture.length} bytes became ${small.image.length}: ${small.width} × ${small.height} pixels`,
  )
  report.detail(drawJpeg(small.image, report.colour))
}

async function streamWords({ laptop }: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene('A streaming function: the words of letter.txt, one by one')
  const expected = new Intl.Segmenter('en', { granularity: 'word' }).segment(letter)
  const startedAt = performance.now()
  let firstAfterMs = 0
  const words: string[] = []
  const chunks = laptop.stream<string>('text.words', [letter], { signal })
  let step = await chunks.next()
  for (; step.done !== true; step = await chunks.next()) {
    if (words.push(step.value) === 1) firstAfterMs = Math.round(performance.now() - startedAt)
  }
  const info = step.value
  same(
    'text.words',
    words,
    [...expected].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment),
  )
  same('the result of text.words', info.result, words.length)
  ranOn('studio', info)
  report.ran('text.words', info, `; first word after ${firstAfterMs} ms`)
  report.detail(`${words.length} words: ${words.slice(0, 6).join(' ')} … ${words.slice(-5).join(' ')}`)
}

async function cancelSearch(mesh: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  const { laptop } = mesh
  report.scene('A cancelled call: a search that would never end')
  const cancel = new AbortController()
  let id = ''
  let progress = 0
  const running = laptop.call('hash.search', ['EasyNet', ENDLESS_ZEROS], {
    signal: AbortSignal.any([signal, cancel.signal]),
    onAccepted: (given) => (id = given),
    onProgress(value) {
      if (progress === 0) setTimeout(() => cancel.abort(), CANCEL_AFTER_MS)
      progress = (value as { tried: number }).tried
    },
  })
  const error = await failureOf('hash.search', running)
  same('the reason of the cancelled call', error.reason, 'cancelled')
  const searches = async (): Promise<Searches> => laptop.call<Searches>('lab/hash.searches', [], { signal })
  const before = await waitFor('Stopping the search', [], signal, async () => {
    const state = await searches()
    return state.running === 0 ? state : undefined
  })
  const after = await searches()
  same('the state of the searches', after, { running: 0, stopped: 1, tried: before.tried })
  report.ran('hash.search', await whoRan(mesh, id, 'lab'), `, then ${error.reason}`)
  report.detail(`laptop saw it try ${progress} numbers, and cancelled`)
  report.detail(
    `lab: ${after.running} searches running, ${after.stopped} stopped after ${after.tried} numbers`,
  )
}

async function failing(mesh: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene('A failing call: its error comes back, and nothing else of the program')
  let id = ''
  const error = await failureOf(
    'hash.verify',
    mesh.laptop.call('hash.verify', [picture, 'not a digest'], {
      signal,
      onAccepted: (given) => (id = given),
    }),
  )
  same('the error of hash.verify', [error.reason, error.details?.['name']], ['function_error', 'ValueError'])
  report.ran('hash.verify', await whoRan(mesh, id, 'lab'), `: ${error.reason}`)
  report.detail(`ValueError: ${error.message}`)
}

async function byAddress({ laptop }: DemoMesh, report: Report, signal: AbortSignal): Promise<void> {
  report.scene('By address: lab/hash.sha256 runs on lab and nowhere else')
  const bytes = new TextEncoder().encode('易联网')
  const info = await laptop.callWithInfo('lab/hash.sha256', [bytes], { signal })
  same('lab/hash.sha256', info.result, digestOf(bytes))
  ranOn('lab', info)
  report.ran('hash.sha256', info)
  const error = await failureOf('studio/hash.sha256', laptop.call('studio/hash.sha256', [bytes], { signal }))
  report.detail(`studio/hash.sha256 is refused: ${error.reason}`)
}

function secrecy({ recorder }: DemoMesh, report: Report): void {
  report.scene('What somebody on the network saw between laptop and studio')
  const seen = recorder.recorded()
  if (!seen.includes('/noise') || seen.length < letter.length + picture.length) {
    throw new Error(`the recorder between laptop and studio saw ${seen.length} bytes only`)
  }
  const secrets = {
    'function names': ['text.stats', 'text.words', 'image.thumbnail'],
    'the letter': letter.split('\n').filter((line) => line.length > 10),
    'the picture': [picture.subarray(0, 64), picture.subarray(-64)],
  }
  for (const [what, pieces] of Object.entries(secrets)) {
    if (pieces.some((piece) => seen.includes(piece))) throw new Error(`${what} went over the wire in clear`)
  }
  report.detail(`${seen.length} bytes; looked for in them and not found: ${Object.keys(secrets).join(', ')}`)
}

/** What the function returns when it runs in this process. */
async function here(fn: FunctionDefinition, input: unknown): Promise<unknown> {
  return fn.invoke([input, { progress() {} }])
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function same(what: string, actual: unknown, expected: unknown): void {
  // A copy: objects that came over the wire have no prototype.
  if (isDeepStrictEqual(structuredClone(actual), expected)) return
  const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 200) ?? 'nothing'
  throw new Error(`${what} should be ${show(expected)}, and is ${show(actual)}.`)
}

function ranOn(device: string, { provider, path }: Pick<CallInfo, 'provider' | 'path'>): void {
  same('who ran it and how', [provider.name, path], [device, 'direct'])
}

async function failureOf(what: string, call: Promise<unknown>): Promise<EasyNetError> {
  try {
    await call
  } catch (error) {
    if (error instanceof EasyNetError) return error
    throw error
  }
  throw new Error(`${what} should have failed.`)
}

/** A call that failed has no result to say it: the daemon's record does. */
async function whoRan({ api, laptop }: DemoMesh, id: string, device: string): Promise<Ran> {
  const { peer, startedAt, endedAt } = await laptop.outcome(id)
  const connection = (await api.peers()).find(({ peerId }) => peerId === peer?.peerId)
  if (peer === undefined || endedAt === undefined || connection === undefined) {
    throw new Error(`the daemon does not say who ran the call ${id}`)
  }
  const ran = { provider: peer, path: connection.path, durationMs: endedAt - startedAt }
  ranOn(device, ran)
  return ran
}
