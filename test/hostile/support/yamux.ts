// Frames of yamux by hand: https://github.com/hashicorp/yamux/blob/master/spec.md

export const Yamux = { data: 0, windowUpdate: 1, ping: 2, goAway: 3, syn: 1, ack: 2, fin: 4, rst: 8 } as const

export function yamuxFrame(
  type: number,
  flags: number,
  stream: number,
  length: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const header = Buffer.alloc(12)
  header[1] = type
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(stream, 4)
  header.writeUInt32BE(length, 8)
  return Buffer.concat([header, payload])
}
