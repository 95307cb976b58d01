import type { enTools } from './en-tools.ts'

/** 与 en-tools.ts 相同的键。 */
export const zhTools: Readonly<Record<keyof typeof enTools, string>> = {
  'command.key': '本设备的密钥：show',
  'command.key.show': 'peer id 和公钥',
  'command.doctor': '找出可能妨碍 EasyNet 工作的问题',
  'command.bugreport': '收集维护者需要的信息，不含机密',
  'command.service': '随系统启动：install、uninstall、status',
  'command.service.install': '从现在起自动启动守护进程',
  'command.service.uninstall': '停止并移除服务',
  'command.service.status': '服务是否存在并运行',
  'command.completion': '在终端中补全命令的脚本',

  'option.output': '以 JSON 写入这个新文件',
  'option.print': '只显示服务文件，不做任何改动',
  'option.system': '为整台机器而不是本用户（systemd）',
  'option.platform': '显示另一个平台的文件',
  'option.wait': '等待正在启动的守护进程的最长时间，如 30s',
  'argument.shell': 'bash、zsh、fish 或 powershell',

  'key.publicKey': '公钥',
  'key.owner': '所有者密钥',
  'key.file': '文件',
  'key.secret': '私钥只在这些文件中；此命令不显示它们。',

  'bugreport.contains':
    '这是 EasyNet 的问题报告。发送之前请先阅读。\n其中包含：版本、设置及其来源、守护进程的状态、设备数量、easynet doctor 的结果、日志的最后 200 行。\n其中不含：密钥、令牌、调用的参数和结果。设备的名称、标识和地址已换成 <peer-1> 这样的词。函数名称可能出现在其中。',
  'bugreport.written': '报告在 {file}。',

  'service.manager': '管理程序',
  'service.file': '文件',
  'service.installed': '服务已安装并运行：{file}',
  'service.linger': '它在你登录期间运行。要一直运行：loginctl enable-linger',
  'service.removed': '服务已停止，{file} 已移除。密钥和设置保留。',
  'service.none': '没有 {file}。',
  'service.active': '运行中',
  'service.inactive': '未运行',
  'service.unknown': '未知：服务管理程序没有应答',
  'service.outdated': '该文件与本版本写出的不同：easynet service install',
  'service.hidden': '系统服务看不到 {path}：它无权访问用户的文件夹。请先把 EasyNet 放到 /opt 中。',
}
