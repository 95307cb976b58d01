import { z } from 'zod'
import { DEFAULT_CALL_TIMEOUT_MS, MAX_CALL_TIMEOUT_MS } from '../model/call.ts'

/** Where the control API listens when nothing is said; the next free port when it is taken. */
export const DEFAULT_API_LISTEN = '127.0.0.1:7677'
/** Where other devices connect when nothing is said; a free port when it is taken. */
export const DEFAULT_PEER_LISTEN = '/ip4/0.0.0.0/tcp/4677'

/** What a device may be called: no `/` and no `@`, which function addresses use. */
const DEVICE_NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.'’-]{0,62}$/u
const TCP_ADDRESS =
  /^\/(?:ip4\/[\d.]+|ip6\/[\da-fA-F:.]+|dns[46]?\/[^/\s]+)\/tcp\/(\d{1,5})(\/p2p\/[1-9A-HJ-NP-Za-km-z]+)?$/
const HOST_PORT = /^(\[[\da-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\]):/

const isPort = (text: string | undefined): boolean => text !== undefined && Number(text) <= 65_535

const hostPort = z.string().refine((text) => isPort(HOST_PORT.exec(text)?.[2]), {
  message: 'write HOST:PORT, for example 127.0.0.1:7677',
})
const listenAddress = z
  .string()
  .refine((text) => isPort(TCP_ADDRESS.exec(text)?.[1]) && TCP_ADDRESS.exec(text)?.[2] === undefined, {
    message: 'write a TCP multiaddr, for example /ip4/0.0.0.0/tcp/4677',
  })
const dialAddress = z.string().refine((text) => isPort(TCP_ADDRESS.exec(text)?.[1]), {
  message: 'write a TCP multiaddr, for example /ip4/192.0.2.7/tcp/4677/p2p/12D3Koo…',
})

/** One set of settings as a file states it. Unknown keys are refused. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(DEVICE_NAME, "use 1 to 63 letters, digits, spaces and _ . ' -")
    .optional()
    .describe('What people call this device. Default: its host name.'),
  network: z
    .strictObject({
      listen: z
        .array(listenAddress)
        .min(1)
        .max(16)
        .default([DEFAULT_PEER_LISTEN])
        .describe('Multiaddrs where other devices connect; port 0 takes a free one.'),
      bootstrap: z
        .array(dialAddress)
        .max(64)
        .default([])
        .describe('Multiaddrs of devices to connect to at the start. Default: config/bootstrap.json.'),
      mdns: z.boolean().default(true).describe('Find devices on the local network, and be found there.'),
      relay: z.boolean().default(false).describe('Pass traffic on for devices that cannot reach each other.'),
    })
    .prefault({}),
  api: z
    .strictObject({
      listen: hostPort
        .refine((text) => LOOPBACK.test(text), {
          message: 'the control API listens on 127.0.0.1, localhost or [::1] only',
          params: { reason: 'unsafe_bind' },
        })
        .default(DEFAULT_API_LISTEN)
        .describe('HOST:PORT of the control API, on the loopback interface; port 0 takes a free one.'),
      gateway: hostPort
        .optional()
        .describe(
          'HOST:PORT of a second, fixed address of the control API on the loopback interface. Default: none.',
        ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .describe('The least important lines to write.'),
    })
    .prefault({}),
  calls: z
    .strictObject({
      defaultTimeoutMs: z
        .number()
        .int()
        .min(1)
        .max(MAX_CALL_TIMEOUT_MS)
        .default(DEFAULT_CALL_TIMEOUT_MS)
        .describe('Milliseconds that a call may take when the caller says nothing.'),
      maxRunning: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(1_024)
        .describe('Calls that run here for other devices at the same time; one more is refused.'),
    })
    .prefault({}),
})

/** Every setting with its value. */
export type Config = z.output<typeof configSchema> & { name: string }

/** The schema as editors read it: for `#:schema` lines in TOML files. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' })
  return { ...schema, title: 'EasyNet configuration' }
}
