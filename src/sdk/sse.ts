/** One server-sent event. */
export interface ServerSentEvent {
  id: string
  type: string
  data: string
}

/** Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a body. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const part of body) {
    text += decoder.decode(part, { stream: true })
    const blocks = text.split(/\r?\n\r?\n/)
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event !== undefined) yield event
    }
  }
}

/** Undefined for a block without data, such as a comment that keeps the connection alive. */
function parseBlock(block: string): ServerSentEvent | undefined {
  const event = { id: '', type: 'message', data: [] as string[] }
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') event.data.push(value)
    else if (field === 'id') event.id = value
    else if (field === 'event') event.type = value
  }
  return event.data.length === 0 ? undefined : { ...event, data: event.data.join('\n') }
}
