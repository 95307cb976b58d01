import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { ExecutionNotes } from '../../model/call.ts'
import { readMessage, sendMessage } from '../message-stream.ts'
import { decodeNotes, encodeQuestion } from './codec.ts'
import { MAX_TIMELINE_BYTES, TIMELINE_PROTOCOL, TIMELINE_TIMEOUT_MS } from './constants.ts'

type OpenStream = (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>

/** When the steps of a call of ours happened at its provider; undefined when that has no notes any more. */
export async function askTimeline(
  openStream: OpenStream,
  peerId: string,
  callId: string,
  caller: AbortSignal,
): Promise<ExecutionNotes | undefined> {
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMELINE_TIMEOUT_MS)])
  const stream = await openStream(peerId, TIMELINE_PROTOCOL, signal)
  try {
    sendMessage(stream, encodeQuestion(callId))
    const notes = decodeNotes(await readMessage(stream, MAX_TIMELINE_BYTES, signal))
    await stream.close({ signal })
    return notes
  } catch (error) {
    stream.abort(EasyNetError.from(error))
    throw error
  }
}
