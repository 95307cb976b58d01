export interface ServerEvent {
  id?: string
  event: string
  data: unknown
}

/** The events of a response, as they come; comments are left out. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  if (response.body === null) return
  let text = ''
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
      const [event, data, id] = [fields.get('event'), fields.get('data'), fields.get('id')]
      if (event === undefined || data === undefined) continue
      yield { event, data: JSON.parse(data), ...(id === undefined ? {} : { id }) }
    }
  }
}
