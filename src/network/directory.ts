import type { KadDHT } from '@libp2p/kad-dht'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { networkError } from './errors.ts'
import type { Directory } from './network.ts'

/** Provider records of our own DHT, by keys such as `cap/image.resize`. */
export function createDirectory(dht: KadDHT): Directory {
  return {
    async provide(key, signal) {
      for await (const event of dht.provide(await cidOf(key), { signal })) void event
    },
    async retract(key) {
      await dht.cancelReprovide(await cidOf(key))
    },
    async *find(key, signal) {
      try {
        for await (const event of dht.findProviders(await cidOf(key), { signal })) {
          if (event.name !== 'PROVIDER') continue
          for (const provider of event.providers) {
            yield { peerId: provider.id.toString(), addresses: provider.multiaddrs.map(String) }
          }
        }
      } catch (error) {
        throw networkError(error, key, signal)
      }
    },
  }
}

async function cidOf(key: string): Promise<CID> {
  return CID.createV1(raw.code, await sha256.digest(new TextEncoder().encode(`easynet/${key}`)))
}
