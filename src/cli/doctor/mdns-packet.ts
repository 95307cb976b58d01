const PTR = 12
const INTERNET = 1
const HEADER_BYTES = 12

/** A multicast DNS query for the PTR records of these names (RFC 6762). */
export function encodeQuery(names: readonly string[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(names.length, 4)
  return Buffer.concat([header, ...names.map(encodeQuestion)])
}

function encodeQuestion(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label)
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  const end = Buffer.alloc(5)
  end.writeUInt16BE(PTR, 1)
  end.writeUInt16BE(INTERNET, 3)
  return Buffer.concat([...labels, end])
}

/** True for an answer, false for a question or less than a packet. */
export function isAnswer(packet: Buffer): boolean {
  return packet.length >= HEADER_BYTES && (packet.readUInt8(2) & 0x80) !== 0
}
