import type { Stream } from '@libp2p/interface'
import type { ExecutionNotes } from '../../model/call.ts'
import { readMessage, sendMessage } from '../message-stream.ts'
import { decodeQuestion, encodeNotes } from './codec.ts'
import { MAX_TIMELINE_BYTES, TIMELINE_TIMEOUT_MS } from './constants.ts'

export interface TimelineHandlerComponents {
  /** Of calls that this peer made, and of no others. */
  notesOf: (callerId: string, callId: string) => ExecutionNotes | undefined
}

/** Serves `/easynet/timeline/1.0.0`: a caller learns when the steps of its own call were. */
export function createTimelineHandler({ notesOf }: TimelineHandlerComponents) {
  return async function handleTimeline(stream: Stream, peerId: string): Promise<void> {
    const signal = AbortSignal.timeout(TIMELINE_TIMEOUT_MS)
    const id = decodeQuestion(await readMessage(stream, MAX_TIMELINE_BYTES, signal))
    sendMessage(stream, encodeNotes(notesOf(peerId, id)))
    await stream.close({ signal })
  }
}
