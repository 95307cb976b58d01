/**
 * Hints and reasons that are said in English, wherever in the program. `{name}` stands for what differs; a
 * line that ends with a colon is followed by a command. A test finds every one that is missing here.
 */
const SAID: Readonly<Record<string, string>> = {
  'See what is offered:': '查看提供了哪些函数：',
  'List what there is:': '列出现有的函数：',
  'See the devices and their peer ids:': '查看设备及其 peer id：',
  'See the other devices:': '查看其他设备：',
  'Use the peer id, or the end of it:': '用 peer id 或它的末尾几位：',
  'Check that the device is on and its daemon runs:': '确认该设备已开机且守护进程在运行：',
  'See the last calls:': '查看最近的调用：',
  'See what is running:': '查看正在运行的调用：',
  'See the log:': '查看日志：',
  'Ask again later:': '稍后再询问：',
  'Ask for a new one:': '请对方再给一个：',
  'When it is back:': '等它回来后：',
  'Start it again:': '重新启动它：',
  'Give it more time:': '给它更多时间：',
  'Write numbers and other JSON with := instead of =:': '数字和其他 JSON 用 := 而不是 =：',
  'Arguments that are not text go into a list:': '不是文本的参数放进列表：',
  'Its provider gives it {limit} ms (timeoutMs):': '提供者只给它 {limit} 毫秒（timeoutMs）：',
  'The nearest name is {name}:': '最接近的名称是 {name}：',
  'Stop the program that offers it, or register under another name:': '停止提供它的程序，或换一个名称注册：',
  "The function's own output is in the terminal of easynet serve on that device.":
    '函数自己的输出在那台设备上运行 easynet serve 的终端中。',
  'Try again later, or start the function on another device as well.':
    '稍后再试，或在另一台设备上也启动该函数。',
  'Look with: easynet task ls. Send it again only if running it twice does no harm.':
    '用 easynet task ls 查看。只有运行两次也无妨时才重新发送。',
  'Whether to run it again is for you to decide: what it had done by then stays done.':
    '是否重新运行由你决定：它已经做完的不会撤销。',
  'Use a new key to run it again.': '要重新运行，请用新的键。',
  'Use one key per piece of work.': '每项工作用一个键。',
  'Unregister it first, or choose another name.': '先取消注册，或换一个名称。',
  'Shorten descriptions and schemas, or register fewer functions.': '缩短描述和 schema，或少注册一些函数。',
  'The options are listed in docs/spec/attach.md.': '选项列在 docs/spec/attach.md 中。',
  'The methods are listed in docs/spec/attach.md.': '方法列在 docs/spec/attach.md 中。',
  'The expected form is in GET /v1/openapi.json and docs/spec/attach.md.':
    '正确的形式见 GET /v1/openapi.json 和 docs/spec/attach.md。',
  'All routes are listed in GET /v1/openapi.json.': '全部路径见 GET /v1/openapi.json。',
  'This library speaks {protocol}: update the older of the two.':
    '这个库使用 {protocol}：更新两者中较旧的一个。',
  'Close one of them, or make the call with POST /v1/calls.': '关闭其中一个，或用 POST /v1/calls 发出调用。',

  'Write 500ms, 10s, 2m or 1h.': '写成 500ms、10s、2m 或 1h。',
  'Write name, peer/name or name@^2, for example:': '写成 name、peer/name 或 name@^2，例如：',
  "Write a name, a beginning with a star, or a star: --can text.upper --can 'llm.*' --can '*'":
    "写一个名称、带星号的开头，或一个星号：--can text.upper --can 'llm.*' --can '*'",
  'Write key = value: text in quotes, lists in [ ], a section as [name].':
    '写成 key = value：文本加引号，列表用 [ ]，小节写作 [name]。',
  'Quote it for the shell:': '在 shell 中给它加引号：',
  'Give it once.': '只给一次。',
  'Standard input can be read once.': '标准输入只能读一次。',
  'Did you mean {word}?': '你想写的是 {word} 吗？',
  'Settings: {keys}': '可用的设置：{keys}',
  'Use {flag}, or:': '用 {flag}，或者：',

  'Send null, booleans, numbers, strings, bytes, lists and plain objects.':
    '可以传送 null、布尔值、数字、文本、字节、列表和普通对象。',
  'Send it in parts, as a stream.': '作为流分段传送。',
  'Send it in parts: a function with clientStream reads a stream of inputs.':
    '分段传送：带 clientStream 的函数可以读取输入流。',
  'Send long lists of numbers as bytes, or in parts, as a stream.':
    '长的数字列表作为字节传送，或作为流分段传送。',
  'Send long texts and lists of numbers as bytes, or in parts, as a stream.':
    '长的文本和数字列表作为字节传送，或作为流分段传送。',
  'Send large values over the app connection, /v1/attach.': '大的值经应用连接 /v1/attach 传送。',
  'Send "Content-Type: application/json".': '请求头须为“Content-Type: application/json”。',
  'Send "Authorization: Bearer <token>"; the token is in run/token below the home of the daemon.':
    '请求头须为“Authorization: Bearer <token>”；令牌在守护进程主目录下的 run/token 中。',
  'Pass { url, token } or set EASYNET_TOKEN to the content of run/token of that daemon.':
    '给出 { url, token }，或把 EASYNET_TOKEN 设为那个守护进程的 run/token 的内容。',
  'Ask for a stream and read the chunks as they come.': '请求流式应答，边到边读。',
  'Use the url in run/daemon.json.': '用 run/daemon.json 中的 url。',

  'Choose a folder: --home DIR, or EASYNET_HOME': '选择一个文件夹：--home DIR，或 EASYNET_HOME',
  'Choose a folder that this user can write: --home DIR': '选择当前用户可写的文件夹：--home DIR',
  'Use 127.0.0.1; to reach this device from others, use the mesh.':
    '用 127.0.0.1；其他设备经网络访问本设备。',
  'Use --gateway 127.0.0.1:{port}; other devices reach this one through the mesh.':
    '用 --gateway 127.0.0.1:{port}；其他设备经网络访问本设备。',
  'Give another one: --listen {address} takes a free port.': '换一个：--listen {address} 会取空闲端口。',
  'Use it (easynet status), stop it (easynet down), or start another one with --home DIR.':
    '使用它（easynet status）、停止它（easynet down），或用 --home DIR 另外启动一个。',
  'Update EasyNet, or start with another --home.': '更新 EasyNet，或换一个 --home 启动。',
  'Put it aside, a new one is made at the next start:': '把它移开，下次启动时会新建一个：',
  'Restore it from a backup. Without one a new {what} is made after:':
    '从备份恢复。没有备份的话，执行下面的命令后会新建：',
  'The file begins with -----BEGIN EASYNET OWNER KEY-----; make one with:':
    '文件以 -----BEGIN EASYNET OWNER KEY----- 开头；这样生成：',

  'A daemon that runs in the foreground logs to its terminal.': '在前台运行的守护进程把日志写到它的终端。',
  'It has to be a new file in a folder that exists.': '它必须是已有文件夹中的新文件。',
  'The first start of the daemon makes it.': '守护进程第一次启动时会生成它。',
  '--home and --system cannot be given together.': '--home 和 --system 不能一起给。',
  'A file of another platform can be shown, and nothing else.': '其他平台的文件只能显示。',
  'The file is in place; the service manager did not do the rest.':
    '文件已写好；服务管理器没有完成其余步骤。',
  '{file} is in place. A session of this user has the service manager running.':
    '{file} 已写好。该用户登录后，服务管理器才会运行。',
  'This version knows user services on macOS and Windows.': '这个版本在 macOS 和 Windows 上只支持用户服务。',
}

const FORMS = Object.entries(SAID).map(([said, text]) => {
  const pattern = said
    .replaceAll(/[\\^$.*+?()[\]|]/g, String.raw`\$&`)
    .replaceAll(/\{(\w+)\}/g, '(?<$1>.+?)')
    .replaceAll(/[{}]/g, String.raw`\$&`)
  return { said: new RegExp(said.endsWith(':') ? `^${pattern} (?<command>.+)$` : `^${pattern}$`, 's'), text }
})

/** The Chinese of a hint or a reason that was said in English; what is not known stays as it is. */
export function saidZh(text: string): string {
  for (const form of FORMS) {
    const found = form.said.exec(text)
    if (found === null) continue
    const { command = '', ...values } = found.groups ?? {}
    return form.text.replaceAll(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all) + command
  }
  return text
}
