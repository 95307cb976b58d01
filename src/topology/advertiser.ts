import type { Advert, Announcement, SignedAdvert } from '../model/advert.ts'
import type { AdvertisedFunction } from '../model/function.ts'
import type { Clock } from '../util/clock.ts'
import { functionKey } from './lookup.ts'

export interface AdvertiserComponents {
  clock: Clock
  /** Everything of the advert but its times. */
  describe: () => Pick<Advert, 'peerId' | 'name' | 'software' | 'addresses'>
  sign: (advert: Advert) => SignedAdvert
  announce: (announcement: Announcement) => Promise<void>
  provide: (key: string, signal: AbortSignal) => Promise<void>
  retract: (key: string) => Promise<void>
  onFailure: (what: string, error: unknown) => void
}

/** Tells the mesh what this device offers: a signed advert, gossip about it, and DHT records. */
export interface Advertiser extends AsyncDisposable {
  /** The current advert; signed again when something changed or it grows old. */
  current(): SignedAdvert
  /** Call after functions changed. Changes that come together are announced once. */
  setFunctions(functions: readonly AdvertisedFunction[]): void
  /** @throws `too_large` when these functions would not fit into an advert */
  check(functions: readonly AdvertisedFunction[]): void
  /** Others have an advert of ours with this number, of a time when our clock was ahead. They get a higher one. */
  overtaken(seq: number): void
  /** Our wall clock was set: an advert with its time is signed and announced. */
  clockSet(): void
  /** What was announced and recorded while nobody was there to hear it is said again. */
  peerConnected(): void
  /** Tells the mesh at once that this device offers nothing any more, whatever is set after that. */
  withdraw(): Promise<void>
  start(): void
}

const VALIDITY_MS = 3_600_000
const REFRESH_MS = 10 * 60_000
const SETTLE_MS = 30
/** A new peer needs a moment until gossip and the DHT reach it. */
const REMIND_AFTER_MS = 500
const REMIND_INTERVAL_MS = 10_000
const PROVIDE_TIMEOUT_MS = 60_000

export function createAdvertiser(components: AdvertiserComponents): Advertiser {
  const { clock, onFailure } = components
  const stopping = new AbortController()
  let functions: readonly AdvertisedFunction[] = []
  let signed: SignedAdvert | undefined
  let changed = true
  let lastSeq = 0
  let timer: NodeJS.Timeout | undefined
  let refresh: NodeJS.Timeout | undefined
  let started = false
  let withdrawn = false
  /** Keys whose record is stored, or about to be. */
  const provided = new Set<string>()
  /** Keys that wait for their turn: each is a walk through the DHT, one after the other. */
  const toProvide = new Set<string>()
  let providing: Promise<void> | undefined
  let reminder: NodeJS.Timeout | undefined
  let remindedAt = -Infinity

  const signNow = (offered: readonly AdvertisedFunction[]): SignedAdvert => {
    const now = clock.now()
    const seq = Math.max(now, lastSeq + 1)
    const times = { seq, issuedAt: now, expiresAt: now + VALIDITY_MS }
    return components.sign({ ...components.describe(), ...times, functions: [...offered] })
  }
  const current = (): SignedAdvert => {
    const isFresh = signed !== undefined && clock.now() - signed.advert.issuedAt < REFRESH_MS
    if (signed !== undefined && isFresh && !changed) return signed
    signed = signNow(functions)
    lastSeq = signed.advert.seq
    changed = false
    return signed
  }
  const gossip = async (): Promise<void> => {
    try {
      const { peerId, seq } = current().advert
      // A time of its own, so that what is said again is a new message, and not one that was seen.
      await components.announce({ peerId, seq, expiresAt: clock.now() + VALIDITY_MS })
    } catch (error) {
      onFailure('announce failed', error)
    }
  }
  const announce = (): void => {
    timer = undefined
    void gossip()
    updateRecords(new Set(functions.map((fn) => functionKey(fn.name))))
  }
  const updateRecords = (wanted: ReadonlySet<string>): void => {
    for (const key of wanted) {
      if (provided.has(key)) continue
      provided.add(key)
      toProvide.add(key)
    }
    for (const key of provided) {
      if (wanted.has(key)) continue
      provided.delete(key)
      toProvide.delete(key)
      components.retract(key).catch((error: unknown) => onFailure('retract failed', error))
    }
    if (toProvide.size > 0) providing ??= provideAll()
  }
  const provideAll = async (): Promise<void> => {
    for (const key of toProvide) {
      toProvide.delete(key)
      await provide(key)
    }
    providing = undefined
  }
  const provide = async (key: string): Promise<void> => {
    if (!provided.has(key) || stopping.signal.aborted) return
    const timeout = AbortSignal.timeout(PROVIDE_TIMEOUT_MS)
    try {
      await components.provide(key, AbortSignal.any([stopping.signal, timeout]))
    } catch (error) {
      provided.delete(key)
      if (!stopping.signal.aborted) onFailure('provide failed', error)
    }
  }
  const schedule = (): void => {
    if (started && !stopping.signal.aborted) timer ??= setTimeout(announce, SETTLE_MS)
  }

  const renew = (): void => {
    changed = true
    schedule()
  }

  return {
    current,
    setFunctions(next) {
      if (withdrawn) return
      functions = next
      renew()
    },
    overtaken(seq) {
      if (seq <= lastSeq) return
      lastSeq = seq
      renew()
    },
    clockSet: renew,
    check: (next) => void signNow(next),
    peerConnected() {
      if (!started || functions.length === 0 || stopping.signal.aborted) return
      const waitMs = Math.max(REMIND_AFTER_MS, remindedAt + REMIND_INTERVAL_MS - clock.monotonic())
      reminder ??= setTimeout(() => {
        reminder = undefined
        remindedAt = clock.monotonic()
        provided.clear()
        announce()
      }, waitMs)
    },
    async withdraw() {
      withdrawn = true
      clearTimeout(timer)
      clearTimeout(reminder)
      timer = undefined
      toProvide.clear()
      if (functions.length === 0) return
      functions = []
      changed = true
      if (started) await gossip()
    },
    start() {
      started = true
      renew()
      refresh = setInterval(renew, REFRESH_MS)
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      clearTimeout(timer)
      clearTimeout(reminder)
      clearInterval(refresh)
      await providing
    },
  }
}
