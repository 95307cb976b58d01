import { DAEMON_NODE_FLAGS } from '../../util/daemon-flags.ts'
import type { ServiceInit } from './definition.ts'

/** Name of the unit. */
export const UNIT = 'easynet.service'
/** Folder of everything for the system service. */
export const SYSTEM_HOME = '/var/lib/easynet'

/** What both units have: 2 is a wrong command line and 78 a wrong setting, which no restart mends. */
const RESTART = `Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2 78
TimeoutStartSec=60
TimeoutStopSec=40`

/** Made of system call filters only, which a user's own service manager may set as well. */
const HARDENED = `UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
LimitNOFILE=65536
LimitCORE=0`

/** A unit for `systemctl --user`. */
export function userUnit({ program, home, env }: ServiceInit): string {
  const folder = home === undefined ? {} : { EASYNET_HOME: home }
  const lines = Object.entries({ ...env, ...folder }).map(
    ([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`,
  )
  return `${head()}
[Service]
Type=exec
${lines.join('')}ExecStart=${command(program.node, ...DAEMON_NODE_FLAGS, program.daemon)}
ExecStartPost=${command(program.node, program.cli, 'status', '--check', '--wait', '30s')}
# A file easynet.toml of the folder where it starts would count as settings.
WorkingDirectory=/
${RESTART}

${HARDENED}

[Install]
WantedBy=default.target
`
}

/**
 * A unit of the system, for a user of its own that exists only while it runs. MemoryDenyWriteExecute is
 * missing because V8 compiles to memory, ProcSubset because Node counts processors in /proc.
 */
export function systemUnit({ program }: ServiceInit): string {
  return `${head('Wants=network-online.target\nAfter=network-online.target\n')}
[Service]
Type=exec
Environment=EASYNET_HOME=${SYSTEM_HOME}
ExecStart=${command(program.node, ...DAEMON_NODE_FLAGS, program.daemon)}
ExecStartPost=${command(program.node, program.cli, 'status', '--check', '--wait', '30s')}
DynamicUser=yes
StateDirectory=easynet
StateDirectoryMode=0700
WorkingDirectory=${SYSTEM_HOME}
${RESTART}

${HARDENED}
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectClock=yes
RemoveIPC=yes
MemoryMax=1G
TasksMax=512

[Install]
WantedBy=multi-user.target
`
}

function head(after = ''): string {
  return `[Unit]
Description=EasyNet, a peer-to-peer compute mesh
${after}StartLimitIntervalSec=60
StartLimitBurst=5
`
}

function command(...words: string[]): string {
  return words.map((word) => quote(word.replaceAll('$', '$$$$'))).join(' ')
}

/** A word as unit files take it: `%` begins a specifier there. */
function quote(word: string): string {
  const text = word.replaceAll('%', '%%')
  return /^[\w./:=%@+-]+$/.test(text) ? text : `"${text.replaceAll(/[\\"]/g, String.raw`\$&`)}"`
}
