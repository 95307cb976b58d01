import { cpSync } from 'node:fs'
import { createGenesis } from '../identity/genesis.ts'
import { loadOwnerKey } from '../identity/owner-key.ts'
import { createMeshStore } from '../storage/mesh-store.ts'
import { openNodeDatabases } from '../storage/node-databases.ts'
import { ensurePrivateDir } from '../util/private-files.ts'
import { locateHome } from '../util/home.ts'

/** Makes empty homes devices of one owner, who has one mesh: they trust each other from the start. */
export function shareOwner(homes: readonly string[], name: string): void {
  const [first, ...others] = homes.map((root) => locateHome(root))
  if (first === undefined) return
  const { key, next } = loadOwnerKey(first.ownerKeyFile)
  const genesis = createGenesis({ name, owners: [{ key: key.publicKey, next: next.publicKey }] })
  for (const home of [first, ...others]) {
    ensurePrivateDir(home.stateDir)
    if (home !== first) cpSync(first.ownerKeyFile, home.ownerKeyFile)
    using databases = openNodeDatabases(home)
    const mesh = { id: genesis.meshId, name, genesis: genesis.bytes, rotations: [], chain: [] }
    createMeshStore(databases.trust).save({ ...mesh, joinedAt: Date.now() })
  }
}
