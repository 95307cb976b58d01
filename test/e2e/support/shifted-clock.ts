// Preloaded into a process under test (NODE_OPTIONS=--import): its wall clock is off by as many milliseconds as
// the file SHIFT_CLOCK_FILE says, from the start on and whenever that changes. The monotonic clock is right.
import { readFileSync, watchFile } from 'node:fs'

const file = process.env['SHIFT_CLOCK_FILE'] ?? ''
const RealDate = Date
let shiftMs = read()

function read(): number {
  return Number(readFileSync(file, 'utf8'))
}

class ShiftedDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(RealDate.now() + shiftMs)
    else super(...(args as [number]))
  }

  static override now(): number {
    return RealDate.now() + shiftMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor
watchFile(file, { interval: 50 }, () => (shiftMs = read())).unref()
