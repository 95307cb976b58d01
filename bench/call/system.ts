import type { Certificate } from './certificate.ts'

/** Bytes of one part of the upload, for every system. */
export const PART_BYTES = 256 * 1024

/** What a peer process is told by main.ts. */
export interface PeerInit {
  certificate: Certificate
  /** A folder of its own. */
  folder: string
  /** The daemon it attaches to, for the whole way. */
  home?: string
}

/** One system under test: a serving process and a calling process. */
export interface System {
  /** Starts serving and returns what the client needs to know. */
  serve(init: PeerInit): Promise<Address>
  connect(init: PeerInit, address: Address): Promise<Client>
}

export type Address = Record<string, string>

export interface Client {
  /** Sends bytes and gets the same back. */
  echo(bytes: Uint8Array): Promise<unknown>
  /** Sends `parts` times `PART_BYTES` as one stream; resolves when the other side has counted them. */
  upload(parts: number): Promise<void>
}

/** The parts of an upload. */
export function* partsOf(count: number): Generator<Uint8Array> {
  const part = new Uint8Array(PART_BYTES).fill(7)
  for (let index = 0; index < count; index += 1) yield part
}

/** @throws when bytes got lost */
export function checkUpload(received: number, parts: number): void {
  if (received !== parts * PART_BYTES) throw new Error(`${received} bytes arrived, not ${parts * PART_BYTES}`)
}
