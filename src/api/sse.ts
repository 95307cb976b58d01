import { onAbort } from '../util/signals.ts'

/** Most bytes that wait for a slow reader before `send` asks to wait. */
const HIGH_WATER_BYTES = 256 * 1024
/** Comments keep proxies and dead-peer detection awake. */
const KEEP_ALIVE_MS = 15_000

export const EVENT_STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' }

/** Writes server-sent events; https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface EventWriter {
  /** True while the reader is behind: what may be left out should be. */
  readonly isBehind: boolean
  /** Sends one event. Returns a promise when the reader needs time. */
  send(event: { type: string; data: unknown; id?: number }): Promise<void> | void
}

/**
 * A response that streams what `produce` writes, and ends with it.
 *
 * @param init.signal - ends the stream from this side
 * @param init.cancelled - called when the reader goes away before the end
 */
export function eventStream(
  produce: (writer: EventWriter) => Promise<void>,
  init: { signal?: AbortSignal; cancelled: () => void },
): Response {
  const encoder = new TextEncoder()
  let open = true
  const waiting: (() => void)[] = []
  const wakeWriters = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => {
          if (open) controller.enqueue(encoder.encode(text))
        }
        const keepAlive = setInterval(() => write(': keep-alive\n\n'), KEEP_ALIVE_MS)
        const finish = (): void => {
          unlink()
          clearInterval(keepAlive)
          wakeWriters()
          if (open) controller.close()
          open = false
        }
        const unlink = onAbort(init.signal, () => queueMicrotask(finish))
        const writer: EventWriter = {
          get isBehind() {
            return (controller.desiredSize ?? 0) <= 0
          },
          send({ type, data, id }) {
            const idLine = id === undefined ? '' : `id: ${id}\n`
            write(`${idLine}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
            if (!open || !writer.isBehind) return
            return new Promise((resolve) => void waiting.push(resolve))
          },
        }
        write(': easynet\n\n')
        produce(writer).then(finish, finish)
      },
      pull: wakeWriters,
      cancel() {
        open = false
        wakeWriters()
        init.cancelled()
      },
    },
    { highWaterMark: HIGH_WATER_BYTES, size: (part) => part.length },
  )
  return new Response(body, { headers: EVENT_STREAM_HEADERS })
}
