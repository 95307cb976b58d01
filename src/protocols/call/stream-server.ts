import type { PeerRef } from '../../model/call.ts'
import type { Frame } from './frames.ts'
import type { InboundBudget } from './inbound-budget.ts'
import type { CallExecutor } from './ports.ts'

export interface CallHandlerComponents {
  executor: CallExecutor
  /** The device behind a peer id, with the name it gave. */
  callerOf: (peerId: string) => PeerRef
  budget: InboundBudget
}

/** What serves one stream, after its first frame told which kind it is. */
export interface StreamServer {
  onFrame(frame: Frame): Promise<void> | void
  onClose(): void
}
