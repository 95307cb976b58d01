interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Metrics {
  samples: Sample[]
  /** The value of the one sample with this name and at least these labels. */
  value: (name: string, labels?: Record<string, string>) => number | undefined
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g

/** Reads the Prometheus text format 0.0.4; throws at a line that has no place in it. */
export function parseMetrics(text: string): Metrics {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [\w:]+ ./.test(line)) continue
    const [, name, labels = '', number] = SAMPLE.exec(line) ?? []
    if (name === undefined) throw new Error(`not a line of Prometheus: ${line}`)
    const value = number === '+Inf' ? Infinity : Number(number)
    if (Number.isNaN(value) && number !== 'NaN' && number !== 'Nan') throw new Error(`no number: ${line}`)
    samples.push({ name, labels: labelsOf(labels), value })
  }
  return {
    samples,
    value: (name, wanted = {}) =>
      samples.find(
        (sample) =>
          sample.name === name &&
          Object.entries(wanted).every(([key, value]) => sample.labels[key] === value),
      )?.value,
  }
}

function labelsOf(text: string): Record<string, string> {
  const matches = [...text.matchAll(LABEL)]
  if (matches.map(([whole]) => whole).join('') !== text) throw new Error(`not labels: ${text}`)
  return Object.fromEntries(
    matches.map(([, key = '', value = '']) => [
      key,
      value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    ]),
  )
}
