import { EasyNetError } from '../errors/error.ts'
import type { CallResult, CallSink } from '../model/call.ts'
import { approximateBytes, MAX_VALUE_BYTES, type Value } from '../model/value.ts'

/** Gathers the chunks of a streaming function for a program that asked for one result. */
export interface ChunkCollector extends Pick<CallSink, 'chunk'> {
  /** The result with the chunks in it, when the function returned nothing else. */
  withChunks(result: CallResult): CallResult
}

/**
 * @param abort - ends the call when its chunks do not fit
 * @param maxBytes - most that all chunks together may hold
 */
export function createCollector(
  abort: (error: EasyNetError) => void,
  maxBytes: number = MAX_VALUE_BYTES,
): ChunkCollector {
  const chunks: Value[] = []
  let bytes = 0
  return {
    chunk(value) {
      bytes += approximateBytes(value)
      if (bytes > maxBytes) {
        const error = new EasyNetError(
          'too_large',
          `The chunks together are larger than ${maxBytes} bytes.`,
          {
            hint: 'Ask for a stream and read the chunks as they come.',
          },
        )
        abort(error)
        throw error
      }
      chunks.push(value)
    },
    withChunks: (result) =>
      chunks.length > 0 && result.result === null ? { ...result, result: chunks } : result,
  }
}
