import type { Command } from 'commander'
import type { CallDetails, CallRecord, TimelineEntry } from '../../model/call.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'
import { formatValue } from '../format-value.ts'
import { printFields } from './status.ts'

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  const group = program.command('task').description(t('command.task'))
  group
    .command('ls')
    .description(t('command.task.ls'))
    .action(() => listCalls(cli, true))
  group
    .command('show')
    .description(t('command.task.show'))
    .argument('<id>', t('argument.call'))
    .action(async (id: string) => {
      using api = await HttpClient.open(cli.target)
      await show(cli, await api.callRecord(id, { signal: cli.signal }))
    })
  group
    .command('cancel')
    .description(t('command.task.cancel'))
    .argument('<id>', t('argument.call'))
    .action(async (id: string) => {
      using api = await HttpClient.open(cli.target)
      await api.cancelCall(id, { signal: cli.signal })
      if (cli.options.json === true) cli.out.json({ schema: 'cancel/1', id })
      else if (cli.options.quiet === true) cli.out.line(id)
      else cli.out.note(t('task.cancelled', { id }))
    })
}

/** Prints the calls of this device, newest first. @param all - finished ones too */
export async function listCalls(cli: Cli, all: boolean): Promise<void> {
  const { out, t } = cli
  using api = await HttpClient.open(cli.target)
  const everything = await api.calls({ signal: cli.signal })
  const calls = all ? everything : everything.filter(({ state }) => state === 'running')
  if (cli.options.json === true) return out.json({ schema: 'calls/1', calls })
  if (cli.options.quiet === true) return calls.forEach(({ id }) => out.line(id))
  if (calls.length === 0) return out.note(t('list.noCalls'))
  await out.table(
    [
      t('column.id'),
      t('column.fn'),
      t('column.role'),
      t('column.state'),
      t('column.peer'),
      t('column.started'),
      t('column.duration'),
    ],
    calls.map((call) => [
      call.id,
      out.safe(call.fn),
      call.role,
      stateOf(call),
      out.safe(call.peer?.name ?? ''),
      new Date(call.startedAt).toISOString(),
      durationOf(call),
    ]),
  )
}

async function show(cli: Cli, call: CallDetails): Promise<void> {
  const { out, t } = cli
  if (cli.options.json === true) return out.json({ schema: 'task/1', ...call })
  if (cli.options.quiet === true) return out.line(call.id)
  await printFields(cli, [
    [t('column.id'), call.id],
    [t('column.fn'), call.fn],
    [t('column.role'), call.role],
    [t('column.state'), stateOf(call)],
    [t('column.peer'), call.peer === undefined ? '' : `${call.peer.name}  ${call.peer.peerId}`],
    [t('column.started'), new Date(call.startedAt).toISOString()],
    [t('column.duration'), durationOf(call)],
    [t('error.title'), call.error === undefined ? '' : `${call.error.reason}: ${call.error.message}`],
    ['traceparent', call.traceparent ?? ''],
    ['result', call.result === undefined ? '' : formatValue(call.result)],
  ])
  if (call.timeline !== undefined) await showTimeline(cli, call.timeline)
}

/** One line per step, with the milliseconds since the first. */
async function showTimeline({ out, t }: Cli, timeline: readonly TimelineEntry[]): Promise<void> {
  const start = timeline[0]?.at ?? 0
  out.line('')
  await out.table(
    [t('column.at'), t('column.where'), t('column.step'), t('column.peer')],
    timeline.map(({ at, where, what, peer }) => [
      `${(at - start).toFixed(2)} ms`,
      where,
      out.safe(what),
      out.safe(peer?.name ?? ''),
    ]),
  )
}

function stateOf(call: CallRecord): string {
  return call.error === undefined ? call.state : `${call.state} (${call.error.reason})`
}

function durationOf(call: CallRecord): string {
  return formatDuration((call.endedAt ?? Date.now()) - call.startedAt)
}
