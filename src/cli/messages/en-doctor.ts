/** What `easynet doctor` says. */
export const enDoctor = {
  'doctor.pass': 'pass',
  'doctor.warn': 'warn',
  'doctor.fail': 'FAIL',
  'doctor.skip': 'skip',
  'doctor.summary': 'pass {pass} · warn {warn} · fail {fail} · skip {skip}',
  'doctor.needsConfig': 'The settings cannot be read.',
  'doctor.broken': 'The check itself failed: {why}',

  'doctor.node': 'Node',
  'doctor.node.good': '{version}',
  'doctor.node.old': '{version} is too old; {needed} is needed.',
  'doctor.node.fix':
    'Start bin/easynet and bin/easynetd, which bring their own Node, or install a newer one.',

  'doctor.config': 'settings',
  'doctor.config.good': 'valid; {count} differ from the defaults',
  'doctor.config.fix': 'Correct {file}',

  'doctor.lock': 'daemon',
  'doctor.lock.running': 'pid {pid} answers at {url} and holds the lock.',
  'doctor.lock.free': 'No daemon runs, and nothing is in the way of one.',
  'doctor.lock.stale': 'No daemon runs. Pid {pid} ended without taking its files away; the next start does.',
  'doctor.lock.silent': 'A daemon (pid {pid}) holds the lock and does not answer. {why}',
  'doctor.lock.silentFix': 'Wait if it is just starting or stopping; otherwise: kill -9 {pid} && easynet up',
  'doctor.lock.notHeld': 'Pid {pid} answers without the lock of {dir}: a second daemon could start.',

  'doctor.api': 'API port',
  'doctor.api.answers': '{url} answers.',
  'doctor.port.free': '{list} can be used.',
  'doctor.port.other': '{at} is in use ({code}); the daemon would take the next free port.',
  'doctor.port.unusable': '{at} cannot be used ({code}); it was set by: {origin}.',

  'doctor.peers': 'peer ports',
  'doctor.peers.open': 'Open from this machine: {list}',
  'doctor.peers.closed': 'Nothing answers at {list}: no device can connect to this one.',
  'doctor.peers.closedFix':
    'Allow the port in the firewall of this machine, then: easynet down && easynet up',

  'doctor.rights': 'file rights',
  'doctor.rights.good': 'Key, token, socket and folders are for this user only ({dir}).',
  'doctor.rights.open': 'Other users can open {path}: its mode is {mode}.',
  'doctor.rights.owner': '{path} belongs to user {owner}, and this is user {user}.',
  'doctor.rights.notWritable': 'This user cannot write to {path}.',
  'doctor.rights.notWritableFix': 'Choose a folder that this user can write: --home DIR',

  'doctor.clock': 'clock',
  'doctor.clock.good': 'Wall clock, monotonic clock and disk agree ({ms} ms in 0.5 s).',
  'doctor.clock.jumps': 'The wall clock moved {ms} ms against the monotonic one within 0.5 s.',
  'doctor.clock.unset': 'The clock says {now}, which has passed.',
  'doctor.clock.back': 'The clock is behind: {file} was written {seconds} s in the future.',
  'doctor.clock.disk': 'The file system and the clock differ by {ms} ms.',
  'doctor.clock.peersAhead': 'The clocks of {count} connected devices are {time} ahead of this one.',
  'doctor.clock.peersBehind': 'The clocks of {count} connected devices are {time} behind this one.',
  'doctor.clock.fix': 'Have the clock set by the network: timedatectl set-ntp true, or the date settings.',

  'doctor.mdns': 'local network (mDNS)',
  'doctor.mdns.good': 'Multicast goes out and comes back; {count} EasyNet devices answered.',
  'doctor.mdns.off': 'network.mdns is off.',
  'doctor.mdns.noInterface': 'There is no network with IPv4 but the loopback.',
  'doctor.mdns.deaf': 'A question to 224.0.0.251:5353 was sent and did not come back: multicast is blocked.',
  'doctor.mdns.failed': 'Multicast on 224.0.0.251:5353 does not work: {why}',
  'doctor.mdns.routeFix':
    'Give multicast a way out: sudo ip route add 224.0.0.0/4 dev INTERFACE. Without it: easynet up --bootstrap MULTIADDR',
  'doctor.mdns.fix':
    'Allow UDP 5353 in the firewall (macOS: Privacy, Local Network; Docker: --network host). Without it: easynet up --bootstrap MULTIADDR',

  'doctor.ipv6': 'IPv6',
  'doctor.ipv6.good': '{address}, and the daemon listens there.',
  'doctor.ipv6.unused': '{address} is there, and network.listen has no IPv6 address.',
  'doctor.ipv6.none': 'This machine has no IPv6 address; IPv4 is enough within one network.',
  'doctor.ipv6.local': 'This machine has IPv6 in its own network only; IPv4 is enough there.',
  'doctor.ipv6.fix': 'Turn IPv6 on at the router for direct connections to devices in other networks.',

  'doctor.bootstrap': 'bootstrap',
  'doctor.bootstrap.none': 'No addresses are set; devices are found on the local network.',
  'doctor.bootstrap.alone': 'No addresses are set and mDNS is off: this device finds nobody by itself.',
  'doctor.bootstrap.reached': 'All {count} addresses can be reached.',
  'doctor.bootstrap.unreachable': '{failed} of {count} addresses cannot be reached: {list}',
  'doctor.bootstrap.fix':
    'Start the device there, open its port, or correct: easynet config set network.bootstrap LIST',

  'doctor.versions': 'versions',
  'doctor.versions.same': '{version} here and in the daemon; {count} connected devices fit.',
  'doctor.versions.noDaemon': '{version}; no daemon runs whose devices could be compared.',
  'doctor.versions.daemon': 'The daemon is {daemon}, and this program {version}.',
  'doctor.versions.peers': 'These devices have a version that may not understand {version}: {list}',
  'doctor.versions.peersFix': 'Install the same version on all devices.',

  'doctor.disk': 'disk',
  'doctor.disk.good': '{free} are free at {path}.',
  'doctor.disk.little': 'Only {free} are free at {path}.',
  'doctor.disk.full': 'The disk is as good as full: {free} are free at {path}.',
  'doctor.disk.refuses':
    'The disk is full ({free} at {path}): the daemon refuses calls of functions that must not run twice.',
  'doctor.disk.fix': 'Free some space, or keep the files elsewhere: --home DIR',

  'doctor.files': 'open files',
  'doctor.files.enough': 'Up to {limit} at a time.',
  'doctor.files.exhausted':
    'The daemon has {open} of its {limit} open: it turns new connections away, those of programs too.',
  'doctor.files.few': 'Up to {limit} at a time; {enough} are needed for many connections.',
  'doctor.files.unknown': 'This system does not tell a limit.',
  'doctor.files.fix': 'ulimit -n 65536, or LimitNOFILE=65536 in the unit, and start the daemon again.',
} as const
