import type { FunctionDescriptor } from './function.ts'
import type { PeerRef } from './call.ts'

// What the control API shows. Shapes are part of the public interface.

/** `direct`: peers have reached us from outside. `private`: only we have dialled so far. */
export type Reachability = 'public' | 'private' | 'offline'

export interface StatusView {
  schema: 'status/1'
  peerId: string
  name: string
  /** Owner key of whom this device acts for, hexadecimal. */
  owner: string
  /** The meshes that it belongs to, in the order of joining. */
  meshes: MeshView[]
  version: string
  uptimeMs: number
  addresses: string[]
  reachability: Reachability
  /** Connected peers. */
  peers: number
  /** Functions that this device offers. */
  functions: number
  calls: { running: number; done: number; failed: number }
  /** `full`: the disk has no room, and what has to be written before it runs is refused. */
  storage: 'ok' | 'full'
}

export interface MeshView {
  /** 64 hexadecimal digits. */
  id: string
  /** What it is called on this device. */
  name: string
  /** `none`: the certificate has expired or was revoked. */
  role: 'owner' | 'member' | 'guest' | 'none'
  /** Epoch ms; null when it does not expire. */
  expiresAt: number | null
}

export interface PeerView {
  peerId: string
  name: string
  addresses: string[]
  connected: boolean
  path: 'direct' | 'relayed'
  /** Smoothed round-trip time; null until one was measured. */
  rttMs: number | null
  /** Names of the functions it offers. */
  functions: string[]
  version: string | null
  lastSeenAt: number | null
  /** How far its wall clock is ahead of this device's; null until it has told. */
  clockAheadMs: number | null
  blocked: boolean
}

export interface ProviderView extends PeerRef {
  rttMs: number | null
  local: boolean
}

export interface FunctionView extends Pick<
  FunctionDescriptor,
  'name' | 'version' | 'description' | 'stream' | 'clientStream' | 'idempotent' | 'price' | 'tags'
> {
  input: Record<string, unknown> | null
  output: Record<string, unknown> | null
  providers: ProviderView[]
}

export interface PingView extends PeerRef {
  rttMs: number
  path: 'direct' | 'relayed'
  address: string
}

/** Something that happened, for `/v1/events`. */
export interface NodeEvent {
  /** Grows by one; resume after it with `Last-Event-ID`. */
  id: number
  type:
    | 'peer:connect'
    | 'peer:disconnect'
    | 'peer:functions'
    | 'function:register'
    | 'function:unregister'
    | 'call:start'
    | 'call:end'
    | 'daemon:draining'
  at: number
  data: Record<string, unknown>
}
