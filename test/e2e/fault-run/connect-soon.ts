import { setTimeout as wait } from 'node:timers/promises'
import { connect, EasyNetError, type Mesh } from '../../../src/sdk/index.ts'

const RETRY_MS = 50

/** Connects to the daemon of `home`, which may be dead at the moment. */
export async function connectSoon(home: string): Promise<Mesh> {
  while (true) {
    try {
      return await connect({ home })
    } catch (error) {
      if (EasyNetError.from(error).reason !== 'daemon_unreachable') throw error
      await wait(RETRY_MS)
    }
  }
}
