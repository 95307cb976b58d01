import type { enDoctor } from './en-doctor.ts'

/** 与 en-doctor.ts 相同的键。 */
export const zhDoctor: Readonly<Record<keyof typeof enDoctor, string>> = {
  'doctor.pass': '通过',
  'doctor.warn': '注意',
  'doctor.fail': '失败',
  'doctor.skip': '跳过',
  'doctor.summary': '通过 {pass} · 注意 {warn} · 失败 {fail} · 跳过 {skip}',
  'doctor.needsConfig': '无法读取设置。',
  'doctor.broken': '检查本身失败了：{why}',

  'doctor.node': 'Node',
  'doctor.node.good': '{version}',
  'doctor.node.old': '{version} 太旧；需要 {needed}。',
  'doctor.node.fix': '用自带 Node 的 bin/easynet 和 bin/easynetd 启动，或安装更新的版本。',

  'doctor.config': '设置',
  'doctor.config.good': '有效；{count} 项与默认值不同',
  'doctor.config.fix': '请改正 {file}',

  'doctor.lock': '守护进程',
  'doctor.lock.running': '进程 {pid} 在 {url} 有应答，并持有锁。',
  'doctor.lock.free': '没有守护进程在运行，也没有什么妨碍启动。',
  'doctor.lock.stale': '没有守护进程在运行。进程 {pid} 结束时没有清理文件；下次启动会清理。',
  'doctor.lock.silent': '守护进程（进程 {pid}）持有锁但没有应答。{why}',
  'doctor.lock.silentFix': '若它正在启动或停止，请稍候；否则：kill -9 {pid} && easynet up',
  'doctor.lock.notHeld': '进程 {pid} 有应答，但没有持有 {dir} 的锁：可能会启动第二个守护进程。',

  'doctor.api': '控制接口端口',
  'doctor.api.answers': '{url} 有应答。',
  'doctor.port.free': '{list} 可以使用。',
  'doctor.port.other': '{at} 已被占用（{code}）；守护进程会使用下一个空闲端口。',
  'doctor.port.unusable': '{at} 无法使用（{code}）；它由此设置：{origin}。',

  'doctor.peers': '设备端口',
  'doctor.peers.open': '从本机可以连接：{list}',
  'doctor.peers.closed': '{list} 没有应答：没有设备能连接到本设备。',
  'doctor.peers.closedFix': '在本机防火墙中放行该端口，然后：easynet down && easynet up',

  'doctor.rights': '文件权限',
  'doctor.rights.good': '密钥、令牌、套接字和文件夹只属于本用户（{dir}）。',
  'doctor.rights.open': '其他用户可以打开 {path}：其权限是 {mode}。',
  'doctor.rights.owner': '{path} 属于用户 {owner}，而当前是用户 {user}。',
  'doctor.rights.notWritable': '本用户无法写入 {path}。',
  'doctor.rights.notWritableFix': '选择本用户可以写入的文件夹：--home DIR',

  'doctor.clock': '时钟',
  'doctor.clock.good': '系统时钟、单调时钟与磁盘一致（0.5 秒内相差 {ms} 毫秒）。',
  'doctor.clock.jumps': '0.5 秒内系统时钟相对单调时钟移动了 {ms} 毫秒。',
  'doctor.clock.unset': '时钟显示 {now}，那已经过去了。',
  'doctor.clock.back': '时钟慢了：{file} 写于 {seconds} 秒之后的未来。',
  'doctor.clock.disk': '文件系统与时钟相差 {ms} 毫秒。',
  'doctor.clock.peersAhead': '{count} 台已连接设备的时钟比本机快 {time}。',
  'doctor.clock.peersBehind': '{count} 台已连接设备的时钟比本机慢 {time}。',
  'doctor.clock.fix': '让网络校准时钟：timedatectl set-ntp true，或在日期设置中打开。',

  'doctor.mdns': '局域网（mDNS）',
  'doctor.mdns.good': '组播可以发出并收回；{count} 台 EasyNet 设备有应答。',
  'doctor.mdns.off': 'network.mdns 已关闭。',
  'doctor.mdns.noInterface': '除回环外没有 IPv4 网络。',
  'doctor.mdns.deaf': '发往 224.0.0.251:5353 的询问没有收回：组播被阻止。',
  'doctor.mdns.failed': '224.0.0.251:5353 上的组播不可用：{why}',
  'doctor.mdns.routeFix':
    '给组播一条出路：sudo ip route add 224.0.0.0/4 dev INTERFACE。不用它：easynet up --bootstrap MULTIADDR',
  'doctor.mdns.fix':
    '在防火墙中放行 UDP 5353（macOS：隐私中的“本地网络”；Docker：--network host）。没有组播时：easynet up --bootstrap MULTIADDR',

  'doctor.ipv6': 'IPv6',
  'doctor.ipv6.good': '{address}，守护进程在此监听。',
  'doctor.ipv6.unused': '有 {address}，但 network.listen 中没有 IPv6 地址。',
  'doctor.ipv6.none': '本机没有 IPv6 地址；在同一网络内 IPv4 已足够。',
  'doctor.ipv6.local': '本机的 IPv6 仅限本地网络；在其中 IPv4 已足够。',
  'doctor.ipv6.fix': '要与其他网络中的设备直连，请在路由器上打开 IPv6。',

  'doctor.bootstrap': '引导地址',
  'doctor.bootstrap.none': '没有设置地址；设备通过局域网发现。',
  'doctor.bootstrap.alone': '没有设置地址，mDNS 也已关闭：本设备自己找不到任何设备。',
  'doctor.bootstrap.reached': '全部 {count} 个地址都可以连接。',
  'doctor.bootstrap.unreachable': '{count} 个地址中有 {failed} 个无法连接：{list}',
  'doctor.bootstrap.fix': '启动那里的设备、打开其端口，或改正：easynet config set network.bootstrap LIST',

  'doctor.versions': '版本',
  'doctor.versions.same': '本程序与守护进程都是 {version}；{count} 台已连接的设备相符。',
  'doctor.versions.noDaemon': '{version}；没有守护进程，无法与其他设备比较。',
  'doctor.versions.daemon': '守护进程是 {daemon}，本程序是 {version}。',
  'doctor.versions.peers': '这些设备的版本可能与 {version} 不兼容：{list}',
  'doctor.versions.peersFix': '在所有设备上安装相同的版本。',

  'doctor.disk': '磁盘',
  'doctor.disk.good': '{path} 还有 {free} 空闲。',
  'doctor.disk.little': '{path} 只有 {free} 空闲。',
  'doctor.disk.full': '磁盘几乎已满：{path} 有 {free} 空闲。',
  'doctor.disk.refuses': '磁盘已满（{path} 有 {free}）：守护进程拒绝不能运行两次的函数的调用。',
  'doctor.disk.fix': '腾出一些空间，或把文件放到别处：--home DIR',

  'doctor.files': '打开的文件',
  'doctor.files.enough': '最多同时 {limit} 个。',
  'doctor.files.exhausted': '守护进程的 {limit} 个已打开 {open} 个：它会拒绝新的连接，包括程序的连接。',
  'doctor.files.few': '最多同时 {limit} 个；连接多时需要 {enough} 个。',
  'doctor.files.unknown': '本系统不提供上限。',
  'doctor.files.fix': '执行 ulimit -n 65536，或在单元中写 LimitNOFILE=65536，然后重新启动守护进程。',
}
