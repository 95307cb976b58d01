import type { EasyNetError } from '../../errors/error.ts'
import type { Reason } from '../../errors/reasons.ts'

interface ReasonText {
  /** For a message that no form below knows; the message follows in parentheses. */
  text: string
  /** Messages whose every fact is in the Chinese line; `{name}` stands for a named group. */
  forms?: readonly (readonly [said: RegExp, text: string])[]
}

/** 每个 reason 一项；缺一个就无法通过类型检查。 */
const REASON_TEXTS: Readonly<Record<Reason, ReasonText>> = {
  invalid_request: {
    text: '请求无效。',
    forms: [
      [/^"(?<text>.*)" is not a function address\.$/, '“{text}”不是函数地址。'],
      [/^"(?<text>.*)" is not a duration\.$/, '“{text}”不是时长。'],
      [/^"(?<text>.*)" is not a number of credits\.$/, '“{text}”不是 credit 数。'],
      [/^"(?<text>.*)" is not a number of pings\.$/, '“{text}”不是 ping 的次数。'],
      [/^"(?<text>.*)" is not a number of lines\.$/, '“{text}”不是行数。'],
      [/^"(?<text>.*)" is not a peer id\.$/, '“{text}”不是 peer id。'],
      [/^A device cannot block itself\.$/, '设备不能拒绝自己。'],
      [/^That is this device itself\.$/, '那就是本设备自己。'],
      [
        /^This idempotency key was used for another function or arguments\.$/,
        '这个幂等键已用于其他函数或参数。',
      ],
    ],
  },
  invalid_config: {
    text: '设置无效。',
    forms: [[/^The home (?<home>.+) is a file, not a folder\.$/, '主目录 {home} 是文件，不是文件夹。']],
  },
  invalid_value: {
    text: '这个值无法传送。',
    forms: [
      [/^A value of type (?<type>.+) cannot be sent\.$/, '类型为 {type} 的值无法传送。'],
      [/^The value is nested deeper than (?<limit>\d+) levels\.$/, '值的嵌套超过了 {limit} 层。'],
    ],
  },
  too_large: {
    text: '超过了大小上限。',
    forms: [
      [/^The body is larger than (?<limit>\d+) bytes\.$/, '请求超过了 {limit} 字节的上限。'],
      [/^The answer exceeds (?<limit>\d+) bytes\.$/, '应答超过了 {limit} 字节的上限。'],
      [/^The chunks together are larger than (?<limit>\d+) bytes\.$/, '各块合计超过了 {limit} 字节的上限。'],
    ],
  },
  unsupported_media_type: {
    text: '内容类型不受支持。',
    forms: [[/^The body has to be JSON\.$/, '请求的内容必须是 JSON。']],
  },
  unknown_route: { text: '控制 API 没有这个路径。' },
  unknown_call: {
    text: '没有这次调用。',
    forms: [
      [/^No call with the id (?<id>.*) is known here\.$/, '这里没有标识为 {id} 的调用。'],
      [/^No call with the id (?<id>.*) is running\.$/, '没有标识为 {id} 的调用在运行。'],
    ],
  },
  unknown_peer: {
    text: '没有这个设备。',
    forms: [[/^No device is known as "(?<peer>.*)"\.$/, '不知道名为“{peer}”的设备。']],
  },
  ambiguous_peer: {
    text: '有多个设备叫这个名字。',
    forms: [
      [
        /^(?<count>\d+) devices are known as "(?<peer>.*)": (?<ids>.+)\.$/,
        '有 {count} 个设备叫“{peer}”：{ids}。',
      ],
    ],
  },
  not_implemented: { text: '对方的版本没有此功能。' },
  unauthenticated: {
    text: '身份未通过验证。',
    forms: [[/^The token is missing or wrong\.$/, '令牌缺失或错误。']],
  },
  not_a_member: {
    text: '另一台设备不属于本设备的任何网络，或者其中一方的证书已过期、被撤销或无效。',
  },
  foreign_origin: {
    text: '请求来自其他网页，已拒绝。',
    forms: [[/^Requests of other web pages are refused\.$/, '请求来自其他网页，已拒绝。']],
  },
  foreign_host: {
    text: '守护进程不应答这个 Host。',
    forms: [[/^This daemon does not answer to that Host\.$/, '守护进程不应答这个 Host。']],
  },
  no_provider: {
    text: '现在没有设备提供这个函数。',
    forms: [
      [/^Nobody in the mesh offers a function "(?<fn>.*)" now\.$/, '网络中现在没有设备提供函数“{fn}”。'],
      [
        /^The device (?<peer>.+) does not offer a function "(?<fn>.*)" now\.$/,
        '设备 {peer} 现在不提供函数“{fn}”。',
      ],
    ],
  },
  unknown_function: {
    text: '没有这个函数。',
    forms: [
      [/^Nobody offers "(?<fn>.*)"\.$/, '没有设备提供函数“{fn}”。'],
      [/^This device does not offer a function "(?<fn>.*)"\.$/, '该设备不提供函数“{fn}”。'],
      [/^This program does not offer "(?<fn>.*)"\.$/, '该程序不提供函数“{fn}”。'],
    ],
  },
  peer_unreachable: {
    text: '无法连接到设备。',
    forms: [
      [
        /^Peer (?<peer>\S+) cannot be reached: no address of it is known\.$/,
        '无法连接到设备 {peer}：不知道它的地址。',
      ],
      [
        /^Peer (?<peer>\S+) cannot be reached: it did not answer in time\.$/,
        '无法连接到设备 {peer}：它没有及时应答。',
      ],
      [/^Peer (?<peer>\S+) cannot be reached: no connection could be made\.$/, '无法连接到设备 {peer}。'],
      [/^The call never reached the provider\.$/, '调用没有到达提供者。'],
      [/^The connection broke before the call reached the provider\.$/, '调用到达提供者之前，连接就中断了。'],
    ],
  },
  draining: {
    text: '对方正在关闭，不接受新的调用。',
    forms: [[/^The daemon is stopping\.$/, '守护进程正在停止。']],
  },
  daemon_unreachable: {
    text: '无法连接到守护进程。',
    forms: [
      [/^No daemon was found: (?<file>.+) is not there\.$/, '找不到守护进程：没有 {file} 这个文件。'],
      [/^There is no log at (?<file>.+)\.$/, '{file} 处没有日志。'],
      [/^There is no device key at (?<file>.+)\.$/, '{file} 处没有设备密钥。'],
      [/^The daemon went away while the call ran\.$/, '调用运行时，守护进程不在了。'],
      [/^The daemon did not come back in (?<seconds>[\d.]+) s\.$/, '守护进程在 {seconds} 秒内没有回来。'],
    ],
  },
  queue_full: {
    text: '队列已满。',
    forms: [
      [
        /^"(?<fn>.*)" is busy: (?<running>\d+) run and (?<waiting>\d+) wait\.$/,
        '函数“{fn}”正忙：{running} 个在运行，{waiting} 个在等待。',
      ],
    ],
  },
  too_many_calls: {
    text: '同时运行的调用太多。',
    forms: [
      [/^(?<running>\d+) calls of this device are running\.$/, '本设备已有 {running} 个调用在运行。'],
      [/^(?<attached>\d+) programs are attached already\.$/, '已有 {attached} 个程序连接着。'],
    ],
  },
  function_error: { text: '函数出错了。' },
  deadline_exceeded: {
    text: '超过了时限。',
    forms: [
      [/^No answer came in time\.$/, '没有及时得到应答。'],
      [/^No answer came within (?<timeoutMs>\d+) ms\.$/, '在 {timeoutMs} 毫秒内没有得到应答。'],
    ],
  },
  cancelled: {
    text: '已取消。',
    forms: [
      [/^The call was cancelled\.$/, '调用已取消。'],
      [/^The program that made the call is gone\.$/, '发出调用的程序已经不在了。'],
    ],
  },
  interrupted: {
    text: '调用被打断了。',
    forms: [
      [
        /^The provider was cut off while the function ran(?:; it did not finish)?\.$/,
        '函数运行时，提供者中断了；它没有完成。',
      ],
      [/^The program that runs this function is gone\.$/, '运行该函数的程序已经不在了。'],
      [/^The device stopped while the function ran\.$/, '函数运行时，设备停止了。'],
      [/^The provider stopped while the call ran\.$/, '调用运行时，提供者停止了。'],
      [
        /^The call had started and was cut off when the daemon ended\.$/,
        '调用已经开始，守护进程结束时被打断。',
      ],
    ],
  },
  outcome_unknown: {
    text: '不知道调用的结果。',
    forms: [
      [
        /^The provider went away while the call ran and has not come back\.$/,
        '调用运行时，提供者不在了，还没有回来。',
      ],
      [/^The provider no longer remembers whether the call ran\.$/, '提供者已不记得调用是否运行过。'],
    ],
  },
  function_exists: {
    text: '已经有同名的函数。',
    forms: [
      [/^This device already offers a function "(?<fn>.*)"\.$/, '本设备已经提供函数“{fn}”。'],
      [/^This program has already registered "(?<fn>.*)"\.$/, '本程序已经注册了“{fn}”。'],
    ],
  },
  duplicate_call: {
    text: '这次调用已经有过。',
    forms: [
      [
        /^The first call with this key ran; its result is no longer kept\.$/,
        '用这个键的第一次调用已经运行过；它的结果不再保留。',
      ],
      [/^The call ran to its end; its result is no longer kept\.$/, '调用已经运行完；它的结果不再保留。'],
    ],
  },
  already_running: {
    text: '已经有一个在运行，或端口被占用。',
    forms: [[/^(?<place>\S+) is in use\.$/, '{place} 已被占用。']],
  },
  unsafe_permissions: { text: '文件的权限不安全。' },
  unsafe_bind: { text: '拒绝在其他机器能访问的地址上监听。' },
  unsupported_runtime: { text: '运行 EasyNet 的 Node 版本太旧。' },
  storage_failed: { text: '无法使用本设备的某个文件或文件夹。' },
  protocol_violation: { text: '对方发来的内容不符合协议。' },
  digest_mismatch: { text: '收到的内容与发送的不同。' },
  internal: {
    text: 'EasyNet 内部出错。',
    forms: [[/^The daemon failed to answer this request\.$/, '守护进程未能应答这个请求。']],
  },
}

/** @param message - what was said in English, with the name of an exception */
export function whatZh({ reason }: EasyNetError, message: string): string {
  // What the CLI itself says is in Chinese already.
  if (reason !== 'function_error' && message.endsWith('。')) return message
  const { text, forms = [] } = REASON_TEXTS[reason]
  for (const [said, form] of forms) {
    const found = said.exec(message)
    if (found === null) continue
    const values = found.groups ?? {}
    return form.replaceAll(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all)
  }
  return message === '' ? text : `${text}（${message}）`
}
