import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { isEncrypted, type NoiseComponents } from './encrypted-stream.ts'
import { tuneReads } from './noise-reads.ts'
import { tuneWrites } from './noise-writes.ts'

/**
 * Noise as the library has it, with what it costs per message and per byte taken out of its connections.
 * This reaches into what the library does not promise; where it has changed, the connection works as it
 * would without. A test says when that happens (test/unit/network/tuned-noise.test.ts);
 * docs/performance.md has the numbers.
 */
export function tunedNoise(): (components: NoiseComponents) => ConnectionEncrypter {
  return (components) => {
    const encrypter = noise()(components)
    const inbound = encrypter.secureInbound.bind(encrypter)
    const outbound = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureInbound = async (connection, options) => {
      const secured = await inbound(connection, options)
      tune(connection, secured.connection)
      return secured
    }
    encrypter.secureOutbound = async (connection, options) => {
      const secured = await outbound(connection, options)
      tune(connection, secured.connection)
      return secured
    }
    return encrypter
  }
}

function tune(connection: MessageStream, secured: MessageStream): void {
  if (!isEncrypted(secured)) return
  tuneReads(secured)
  tuneWrites(secured, connection)
}
