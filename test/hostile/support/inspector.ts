/** What a process uses, after garbage collection. Bytes. */
export interface Memory {
  residentBytes: number
  /** Objects and buffers in use: what the allocator keeps for itself is not counted, nor is it a leak. */
  liveBytes: number
}

/** A look into a process that was started with `--inspect`. */
export interface Inspector extends Disposable {
  /** Collects garbage, then measures. */
  memory(): Promise<Memory>
  /** Runs an expression in the process; its value has to be JSON. */
  evaluate<T>(expression: string): Promise<T>
}

interface Answer {
  id?: number
  result?: { result?: { value?: unknown } }
}

/** @param log - what the process has written to stderr, with the address of its inspector */
export async function inspect(log: string): Promise<Inspector> {
  const [, url] = /Debugger listening on (ws:\S+)/.exec(log) ?? []
  if (url === undefined) throw new Error(`no inspector in: ${log}`)
  const socket = new WebSocket(url)
  const waiting = new Map<number, PromiseWithResolvers<Answer>>()
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(data as string) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.resolve(answer)
  })
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process is gone'))
  })
  let lastId = 0
  const ask = async (method: string, params: object = {}): Promise<Answer> => {
    const id = (lastId += 1)
    const answer = Promise.withResolvers<Answer>()
    waiting.set(id, answer)
    socket.send(JSON.stringify({ id, method, params }))
    return answer.promise.finally(() => waiting.delete(id))
  }
  const evaluate = async <T>(expression: string): Promise<T> => {
    const text = `JSON.stringify(${expression})`
    const { result } = await ask('Runtime.evaluate', { expression: text })
    return JSON.parse(String(result?.result?.value)) as T
  }
  return {
    evaluate,
    async memory() {
      for (let round = 0; round < 3; round += 1) await ask('HeapProfiler.collectGarbage')
      const { rss, heapUsed, external } = await evaluate<NodeJS.MemoryUsage>('process.memoryUsage()')
      return { residentBytes: rss, liveBytes: heapUsed + external }
    },
    [Symbol.dispose]: () => socket.close(),
  }
}
