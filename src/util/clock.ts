/** Time as a dependency, so that a simulation or a test can run the shipped code on its own clock. */
export interface Clock {
  /** Wall-clock instant, epoch ms: for records that outlive the process. */
  now(): number
  /** Monotonic ms: for durations and deadlines, untouched by clock changes. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
