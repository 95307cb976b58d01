import type { Command } from 'commander'
import { EasyNetError } from '../../errors/error.ts'
import { DEFAULT_CALL_TIMEOUT_MS } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { connect, type Mesh } from '../../sdk/mesh.ts'
import type { CallInfo, CallOptions } from '../../sdk/mesh-types.ts'
import { type CallArguments, readArguments } from '../call-arguments.ts'
import type { Cli } from '../cli.ts'
import { parseDuration } from '../duration.ts'
import { formatValue } from '../format-value.ts'

// A call, first stop: from here it goes to sdk/mesh.ts.

interface Options {
  args?: string
  peer?: string
  timeout?: string
  maxCost?: string
  stream?: true
  key?: string
}

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  program
    .command('call')
    .summary(t('command.call'))
    .description(`${t('command.call')}\n\n${t('call.help')}`)
    .argument('<fn>', t('argument.fn'))
    .argument('[args...]', t('argument.args'))
    .option('--args <json>', t('option.args'))
    .option('--peer <peer>', t('option.peer'))
    .option('--timeout <duration>', t('option.timeout'))
    .option('--max-cost <credits>', t('option.maxCost'))
    .option('--stream', t('option.stream'))
    .option('--key <key>', t('option.key'))
    .action(async (fn: string, words: string[], options: Options) => {
      const { args, kwargs } = await readArguments(words, options.args, cli.stdin)
      const callOptions = { ...toCallOptions(options), kwargs, ...listeners(cli), signal: cli.signal }
      const onDisconnect = (): void => {
        if (isForPeople(cli)) cli.out.note(t('serve.lost'))
      }
      const who = { ...cli.target, client: 'easynet call', signal: cli.signal, onDisconnect }
      await using mesh = await connect(who)
      try {
        if (options.stream === true) await stream(cli, mesh, fn, args, callOptions)
        else await callOnce(cli, mesh, fn, args, callOptions)
      } catch (error) {
        const { withHintFor } = await import('../call-hints.ts')
        const timeoutMs = callOptions.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS
        throw await withHintFor(cli, EasyNetError.from(error), { fn, words, timeoutMs })
      }
    })
}

async function callOnce(
  cli: Cli,
  mesh: Mesh,
  fn: string,
  args: CallArguments['args'],
  options: CallOptions,
): Promise<void> {
  const info = await mesh.callWithInfo(fn, args, options)
  const { id, result, provider, path, attempts, durationMs, cost } = info
  if (cli.options.json === true) {
    return cli.out.json({ schema: 'call/1', id, result, provider, path, attempts, durationMs, cost })
  }
  if (cli.options.quiet === true) return cli.out.line(id)
  printResult(cli, result)
  noteWhoRanIt(cli, fn, info)
}

async function stream(
  cli: Cli,
  mesh: Mesh,
  fn: string,
  args: CallArguments['args'],
  options: CallOptions,
): Promise<void> {
  const { out } = cli
  const json = cli.options.json === true
  let unfinishedLine = false
  const chunks = mesh.stream<Value>(fn, args, options)
  try {
    for (let step = await chunks.next(); ; step = await chunks.next()) {
      if (step.done !== true) {
        if (json) out.json({ chunk: step.value })
        else unfinishedLine = printChunk(cli, step.value)
        continue
      }
      const info = step.value
      if (json) return out.json({ result: info.result })
      if (unfinishedLine && (out.isTTY || info.result !== null)) out.write('\n')
      if (info.result !== null) printResult(cli, info.result)
      return noteWhoRanIt(cli, fn, info)
    }
  } catch (error) {
    if (unfinishedLine && !json) out.write('\n')
    throw error
  }
}

/** Text as it is, so that tokens make up sentences; everything else on a line of its own. */
function printChunk(cli: Cli, chunk: Value): boolean {
  if (chunk instanceof Uint8Array) cli.out.write(chunk)
  else if (typeof chunk === 'string') cli.out.write(cli.out.isTTY ? cli.out.safe(chunk) : chunk)
  else cli.out.line(formatValue(chunk))
  return typeof chunk === 'string' && !chunk.endsWith('\n')
}

function printResult(cli: Cli, result: Value): void {
  if (result instanceof Uint8Array) return cli.out.write(result)
  const text = formatValue(result)
  cli.out.line(cli.out.isTTY ? cli.out.safe(text) : text)
}

function noteWhoRanIt(cli: Cli, fn: string, info: CallInfo): void {
  const { out, t } = cli
  if (!out.notesToTTY || cli.options.json === true) return
  const peer = info.provider.name === '' ? info.provider.peerId : info.provider.name
  const text = t('call.ran', { fn, peer, path: t(`path.${info.path}`), ms: Math.round(info.durationMs) })
  out.note(out.style('dim', `✓ ${out.safe(text)}`))
}

/** What the function says while it runs goes to people only: stdout is the result. */
function listeners(cli: Cli): Pick<CallOptions, 'onLog' | 'onProgress'> {
  const { out, t } = cli
  if (!isForPeople(cli)) return {}
  return {
    onLog: ({ level, message }) => out.note(out.safe(`${level}: ${message}`)),
    onProgress(value) {
      if (out.notesToTTY)
        out.note(out.style('dim', out.safe(t('call.progress', { value: formatValue(value) }))))
    },
  }
}

function isForPeople({ options }: Cli): boolean {
  return options.quiet !== true && options.json !== true
}

function toCallOptions(options: Options): CallOptions {
  const { peer, key, timeout, maxCost } = options
  return {
    ...(peer === undefined ? {} : { peer }),
    ...(key === undefined ? {} : { key }),
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }),
    ...(maxCost === undefined ? {} : { maxCost: parseCost(maxCost) }),
  }
}

function parseCost(text: string): number {
  const cost = Number(text)
  if (text.trim() !== '' && Number.isFinite(cost) && cost >= 0) return cost
  throw new EasyNetError('invalid_request', `"${text.slice(0, 40)}" is not a number of credits.`, {
    hint: 'easynet call FN --max-cost 0.5',
  })
}
