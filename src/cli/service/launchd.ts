import { DAEMON_NODE_FLAGS } from '../../util/daemon-flags.ts'
import { escapeXml, type ServiceInit } from './definition.ts'

export const LABEL = 'io.easynet.easynetd'

/** A LaunchAgent: runs while the user is logged in, and again when it fails. */
export function launchAgent({ program, home, env, logFile }: ServiceInit): string {
  const folder = home === undefined ? {} : { EASYNET_HOME: home }
  const variables = Object.entries({ ...env, ...folder })
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${string(LABEL)}
  <key>ProgramArguments</key>
  <array>
    ${string(program.node)}
    ${DAEMON_NODE_FLAGS.map(string).join('\n    ')}
    ${string(program.daemon)}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.map(([name, value]) => `    <key>${escapeXml(name)}</key>\n    ${string(value)}\n`).join('')}  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>40</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>Umask</key>
  <integer>63</integer>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>65536</integer>
  </dict>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  ${string(logFile)}
</dict>
</plist>
`
}

function string(text: string): string {
  return `<string>${escapeXml(text)}</string>`
}
