import { setTimeout as wait } from 'node:timers/promises'
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

const FIRST_ANSWER_MS = 20_000

/** Waits until a mesh that has just come together answers. */
export async function untilAnswered(client: Client): Promise<Client> {
  for (const startedAt = performance.now(); ; await wait(50)) {
    try {
      await client.echo(new Uint8Array(1))
      return client
    } catch (error) {
      if (performance.now() - startedAt > FIRST_ANSWER_MS) throw error
    }
  }
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
