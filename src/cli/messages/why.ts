import type { ErrorCode, Reason } from '../../errors/reasons.ts'

/** Why something failed: a sentence per code, and a more precise one for some reasons. */
export interface WhyTexts {
  codes: Readonly<Record<ErrorCode, string>>
  reasons: Readonly<Partial<Record<Reason, string>>>
}

export const whyEn: WhyTexts = {
  codes: {
    cancelled: 'It was stopped before it was done.',
    unknown: 'The other side failed.',
    invalid_argument: 'The request is not in the form that is expected.',
    deadline_exceeded: 'The time limit of the call has passed.',
    not_found: 'There is nothing under this name.',
    already_exists: 'There is one already.',
    permission_denied: 'This is not allowed.',
    resource_exhausted: 'A limit was reached.',
    failed_precondition: 'Something has to be in place first.',
    aborted: 'It had started and was cut off.',
    out_of_range: 'A value is out of its range.',
    unimplemented: 'This version does not have it.',
    internal: 'EasyNet made a mistake.',
    unavailable: 'The other side cannot be reached right now.',
    data_loss: 'What arrived is damaged, or not what was asked for.',
    unauthenticated: 'The token is missing or wrong.',
  },
  reasons: {
    function_error: 'The function threw an exception.',
    no_provider: 'No device that is connected offers it, and the mesh was asked.',
    unknown_function: 'No device that is connected offers it, and the mesh was asked.',
    unknown_peer: 'No device of this id or name is known.',
    ambiguous_peer: 'Names are chosen by their owners; peer ids are unique.',
    unknown_call: 'This device has no such call, or no longer keeps it.',
    daemon_unreachable: 'Every command talks to the daemon of this device, and none answers.',
    peer_unreachable: 'The device did not answer at any of its addresses.',
    draining: 'The device is shutting down.',
    queue_full: 'Every place is taken and the queue is full.',
    too_many_calls: 'Too many calls are running at the same time.',
    outcome_unknown: 'The connection broke and nobody can tell whether the call ran.',
    interrupted: 'The call had started and was cut off: it did not finish.',
    invalid_config: 'The settings are not valid.',
    storage_failed: 'A file or folder that this device keeps cannot be used as it is.',
    unsafe_permissions: 'Other users of this computer could read or replace it.',
  },
}

export const whyZh: WhyTexts = {
  codes: {
    cancelled: '它在完成之前被停止了。',
    unknown: '对方失败了。',
    invalid_argument: '请求的形式不正确。',
    deadline_exceeded: '已超过调用的时限。',
    not_found: '没有这个名称的东西。',
    already_exists: '已经有一个了。',
    permission_denied: '不允许这样做。',
    resource_exhausted: '达到了上限。',
    failed_precondition: '需要先满足某个条件。',
    aborted: '已经开始，但被打断了。',
    out_of_range: '某个值超出了范围。',
    unimplemented: '这个版本没有此功能。',
    internal: 'EasyNet 自身出错了。',
    unavailable: '现在无法连接到对方。',
    data_loss: '收到的内容已损坏，或不是所请求的内容。',
    unauthenticated: '令牌缺失或错误。',
  },
  reasons: {
    function_error: '函数抛出了异常。',
    no_provider: '已连接的设备都不提供它，并且已经询问过整个网络。',
    unknown_function: '已连接的设备都不提供它，并且已经询问过整个网络。',
    unknown_peer: '不知道有这个 id 或名称的设备。',
    ambiguous_peer: '名称由设备的主人自己选；peer id 是唯一的。',
    unknown_call: '本设备没有这次调用，或不再保留它。',
    daemon_unreachable: '每个命令都要通过本设备的守护进程，而它没有应答。',
    peer_unreachable: '该设备的所有地址都没有应答。',
    draining: '该设备正在关闭。',
    queue_full: '位置已占满，队列也已满。',
    too_many_calls: '同时运行的调用太多。',
    outcome_unknown: '连接中断，没有人知道调用是否已运行。',
    interrupted: '调用已经开始但被打断：没有完成。',
    invalid_config: '设置无效。',
    storage_failed: '本设备保存的某个文件或文件夹目前无法使用。',
    unsafe_permissions: '这台计算机的其他用户可以读取或替换它。',
  },
}
