/** Texts of `key`, `completion`, `bugreport` and `service`. */
export const enTools = {
  'command.key': 'the key of this device: show',
  'command.key.show': 'peer id and public key',
  'command.doctor': 'look for what could keep EasyNet from working',
  'command.bugreport': 'collect what a maintainer needs, without secrets',
  'command.service': 'start with the system: install, uninstall, status',
  'command.service.install': 'have the daemon started from now on',
  'command.service.uninstall': 'stop the service and remove it',
  'command.service.status': 'whether the service is there and runs',
  'command.completion': 'a script that completes words in a shell',

  'option.output': 'write it to this new file, as JSON',
  'option.print': 'show the file of the service and change nothing',
  'option.system': 'for the whole machine rather than this user (systemd)',
  'option.platform': 'show the file of another platform',
  'option.wait': 'longest wait for a daemon that is starting, such as 30s',
  'argument.shell': 'bash, zsh, fish or powershell',

  'key.publicKey': 'public key',
  'key.owner': 'owner key',
  'key.file': 'file',
  'key.secret': 'The secret keys are in these files and nowhere else; this command does not show them.',

  'bugreport.contains':
    'This is a bug report of EasyNet. Please read it before you send it.\nIt contains: versions, settings and where they come from, the state of the daemon, the number of devices, the results of easynet doctor, the last 200 lines of the log.\nIt does not contain: keys, tokens, arguments and results of calls. Names, ids and addresses of devices were replaced by words such as <peer-1>. Names of functions may be in it.',
  'bugreport.written': 'The report is in {file}.',

  'service.manager': 'manager',
  'service.file': 'file',
  'service.installed': 'The service is installed and runs: {file}',
  'service.linger': 'It runs while you are logged in. To run it always: loginctl enable-linger',
  'service.removed': 'The service has stopped and {file} is removed. Keys and settings stay.',
  'service.none': 'There is no {file}.',
  'service.active': 'running',
  'service.inactive': 'not running',
  'service.unknown': 'unknown: the service manager does not answer',
  'service.outdated': 'The file differs from what this version writes: easynet service install',
  'service.hidden':
    'The system service cannot see {path}: it has no access to folders of users. Put EasyNet into /opt first.',
} as const
