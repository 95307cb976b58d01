import type { CheckedCall } from './check.ts'
import type { FaultRun } from './run.ts'

const VERDICTS = ['done', 'failed', 'interrupted', 'unknown'] as const

/** A run as a table: calls by function and way, their verdicts, runs and times; kills; violations. */
export function faultTable({ calls, violations, kills, durationMs }: FaultRun): string {
  const groups = Map.groupBy(calls, ({ fn, way }) => `${fn} ${way}`)
  const header = ['calls', 'n', ...VERDICTS, 'runs 0', '1', '2', '>2', 'p50 ms', 'max ms']
  const rows = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([name, some]) => rowOf(name, some))
  const table = [header, ...rows, rowOf('all', calls)]
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
  const reasons = Map.groupBy(
    calls.filter(({ end }) => end !== undefined && end.verdict !== 'done'),
    ({ fn, way, end }) =>
      `${fn} ${way} ${end?.verdict}: ${end?.reason}${end?.retryable === true ? ' (nothing ran)' : ''}: ${end?.message}`,
  )
  const killed = Object.entries(kills).map(([name, count]) => `${name} ${count}`)
  return [
    ...lines,
    ...[...reasons].map(([reason, some]) => `  ${some.length} × ${reason}`).sort(),
    `kills: ${killed.join(', ')}; ${(durationMs / 1_000).toFixed(1)} s in all`,
    violations.length === 0 ? 'violations: none' : `VIOLATIONS: ${violations.length}`,
    ...violations.map((text) => `  ${text}`),
  ].join('\n')
}

function rowOf(name: string, calls: readonly CheckedCall[]): string[] {
  const times = calls.flatMap(({ end }) => (end === undefined ? [] : [end.tookMs])).sort((a, b) => a - b)
  const count = (test: (call: CheckedCall) => boolean): string => String(calls.filter(test).length)
  return [
    name,
    String(calls.length),
    ...VERDICTS.map((verdict) => count(({ end }) => end?.verdict === verdict)),
    ...[0, 1, 2].map((runs) => count((call) => call.runs === runs)),
    count(({ runs }) => runs > 2),
    String(times[Math.floor(times.length / 2)] ?? ''),
    String(times.at(-1) ?? ''),
  ]
}
