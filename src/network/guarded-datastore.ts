import { BaseDatastore } from 'datastore-core/base'
import { type Batch, type Datastore, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { EasyNetError } from '../errors/error.ts'
import * as limits from './limits.ts'

const PROVIDERS = '/dht/provider/'
/** Values that any peer can put into the DHT. We use none, so whatever comes is somebody else's. */
const VALUES = '/dht/record/'
const PEERS = '/peers/'

/**
 * A datastore in which other devices cannot store without end: libp2p itself accepts any number of DHT
 * records and values, and remembers every peer that it hears of with all its addresses.
 *
 * @param ownId - our own DHT records are not counted
 */
export async function guardDatastore(inner: Datastore, ownId: string): Promise<Datastore> {
  const guarded = new GuardedDatastore(inner, ownId)
  await guarded.load()
  return guarded
}

class GuardedDatastore extends BaseDatastore {
  readonly #inner: Datastore
  readonly #ownId: string
  /** Keys of DHT records by the peer that wrote them. */
  readonly #records = new Map<string, Set<string>>()
  #recordCount = 0
  /** Keys of peers, the one longest untouched first. */
  readonly #peers = new Set<string>()

  constructor(inner: Datastore, ownId: string) {
    super()
    this.#inner = inner
    this.#ownId = ownId
  }

  async load(): Promise<void> {
    // From versions that accepted them.
    for await (const key of this.#inner.queryKeys({ prefix: VALUES })) await this.#inner.delete(key)
    for await (const key of this.#inner.queryKeys({ prefix: PROVIDERS })) this.#noteRecord(key.toString())
    for await (const key of this.#inner.queryKeys({ prefix: PEERS })) this.#peers.add(key.toString())
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    const text = key.toString()
    if (text.startsWith(VALUES)) throw full()
    if (text.startsWith(PROVIDERS)) this.#admitRecord(text)
    if (text.startsWith(PEERS)) await this.#admitPeer(text, value)
    return this.#inner.put(key, value)
  }

  override async get(key: Key): Promise<Uint8Array> {
    return this.#inner.get(key)
  }

  override async has(key: Key): Promise<boolean> {
    return this.#inner.has(key)
  }

  override async delete(key: Key): Promise<void> {
    const text = key.toString()
    this.#peers.delete(text)
    const records = this.#records.get(writerOf(text))
    if (records?.delete(text) === true) this.#recordCount -= 1
    if (records?.size === 0) this.#records.delete(writerOf(text))
    await this.#inner.delete(key)
  }

  override batch(): Batch {
    const changes: (() => Promise<unknown>)[] = []
    return {
      put: (key, value) => changes.push(async () => this.put(key, value)),
      delete: (key) => changes.push(async () => this.delete(key)),
      commit: async () => {
        for (const change of changes.splice(0)) await change()
      },
    }
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    yield* this.#inner.query(query)
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    yield* this.#inner.queryKeys(query)
  }

  #admitRecord(key: string): void {
    const records = this.#records.get(writerOf(key))
    if (records?.has(key) === true) return
    if (writerOf(key) !== this.#ownId) {
      const tooMany =
        (records?.size ?? 0) >= limits.MAX_DHT_RECORDS_PER_PEER || this.#recordCount >= limits.MAX_DHT_RECORDS
      // The key holds a hash of the peer's choice, of any length.
      if (tooMany || key.length > limits.MAX_DHT_KEY_CHARS) throw full()
    }
    this.#noteRecord(key)
  }

  #noteRecord(key: string): void {
    const records = this.#records.get(writerOf(key)) ?? new Set()
    records.add(key)
    this.#records.set(writerOf(key), records)
    this.#recordCount += 1
  }

  async #admitPeer(key: string, value: Uint8Array): Promise<void> {
    if (value.length > limits.MAX_PEER_RECORD_BYTES) throw full()
    this.#peers.delete(key)
    this.#peers.add(key)
    if (this.#peers.size <= limits.MAX_STORED_PEERS) return
    const [oldest = key] = this.#peers
    await this.delete(new Key(oldest))
  }
}

/** The peer that wrote a DHT record: the last part of its key. */
function writerOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

function full(): EasyNetError {
  return new EasyNetError('too_large', 'A peer may not store more on this device.')
}
