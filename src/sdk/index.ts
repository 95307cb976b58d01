/**
 * `easynet`: offer functions to the mesh and call those of others, through this device's daemon.
 * It has no dependencies.
 *
 * @packageDocumentation
 * @example
 * import { connect, fn } from 'easynet'
 * await using mesh = await connect()
 * await mesh.register('text.upper', (text: string) => text.toUpperCase())
 * await mesh.call('text.upper', ['hi'])
 */
export { type ErrorData, EasyNetError } from '../errors/error.ts'
export type { ErrorCode, Reason } from '../errors/reasons.ts'
export type { CallPath, CallRecord, CallResult, FailedAttempt, LogEntry, PeerRef } from '../model/call.ts'
export type { Value } from '../model/value.ts'
export type { FunctionView, NodeEvent, PeerView, PingView, ProviderView, StatusView } from '../model/views.ts'
export { Client, ComputeNode, remote, Server, type ServerOptions } from './compute-node.ts'
export { type DaemonEndpoint, type DaemonTarget, findDaemon } from './find-daemon.ts'
export {
  type AnySchema,
  fn,
  type FunctionDefinition,
  type FunctionInit,
  type PlainFunction,
  type PlainOptions,
} from './fn.ts'
export type { CallContext, JsonSchema, StandardSchema } from './function-types.ts'
export { HttpClient } from './http-client.ts'
export { connect, Mesh } from './mesh.ts'
export type { Callable, CallInfo, CallOptions, ConnectOptions } from './mesh-types.ts'
