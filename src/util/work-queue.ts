/**
 * Runs background work that others can ask for without end: so many at a time and so many waiting,
 * in all and for each source. What does not fit is not done.
 */
export interface WorkQueue {
  /** Runs `work` when it is its turn; it must not reject. False when it was dropped. */
  offer(source: string, work: () => Promise<void>): boolean
}

export interface WorkQueueInit {
  maxRunning: number
  maxRunningPerSource: number
  maxWaitingPerSource: number
}

interface Source {
  running: number
  waiting: (() => Promise<void>)[]
}

export function createWorkQueue(init: WorkQueueInit): WorkQueue {
  // Only sources with work are in here. Insertion order is the order of turns.
  const sources = new Map<string, Source>()
  let running = 0

  const start = (name: string, source: Source, work: () => Promise<void>): void => {
    running += 1
    source.running += 1
    const done = (): void => {
      running -= 1
      source.running -= 1
      if (source.running === 0 && source.waiting.length === 0) sources.delete(name)
      startNext()
    }
    void work().finally(done)
  }
  const startNext = (): void => {
    for (const [name, source] of sources) {
      if (running >= init.maxRunning) return
      if (source.running >= init.maxRunningPerSource) continue
      const work = source.waiting.shift()
      if (work === undefined) continue
      // To the end of the line: the next place goes to somebody else.
      sources.delete(name)
      sources.set(name, source)
      return start(name, source, work)
    }
  }

  return {
    offer(name, work) {
      const source = sources.get(name) ?? { running: 0, waiting: [] }
      const runsNow = running < init.maxRunning && source.running < init.maxRunningPerSource
      if (!runsNow && source.waiting.length >= init.maxWaitingPerSource) return false
      sources.set(name, source)
      if (runsNow) start(name, source, work)
      else source.waiting.push(work)
      return true
    },
  }
}
