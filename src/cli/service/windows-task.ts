import { DAEMON_NODE_FLAGS } from '../../util/daemon-flags.ts'
import { escapeXml, type ServiceInit } from './definition.ts'

export const TASK = 'EasyNet'

/** A task that starts at the logon of the user who installs it, and again when it fails. */
export function windowsTask({ program, home }: ServiceInit): string {
  const words = [...DAEMON_NODE_FLAGS, program.daemon, ...(home === undefined ? [] : ['--home', home])]
  return `<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>EasyNet, a peer-to-peer compute mesh</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>5</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program.node)}</Command>
      <Arguments>${escapeXml(words.map(quote).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`
}

/** A word of a Windows command line; paths there have no quotes in them. */
function quote(word: string): string {
  return /^[\w./:\\-]+$/.test(word) ? word : `"${word.replace(/\\+$/, '$&$&')}"`
}
