import { chainVectors } from './chains.ts'
import { inviteVectors } from './invites.ts'
import { deviceVectors, genesisVectors, linkVectors, revocationVectors, rotationVectors } from './objects.ts'

/** Name of the file → its content. */
export function allVectors(): Record<string, unknown> {
  return {
    genesis: genesisVectors(),
    devices: deviceVectors(),
    chains: chainVectors(),
    revocations: revocationVectors(),
    rotations: rotationVectors(),
    invites: inviteVectors(),
    links: linkVectors(),
  }
}
