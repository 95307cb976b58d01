// Limits of docs/spec/attach.md that the daemon alone keeps; the others are in model/attach.ts.

/** Most functions that one program offers. */
export const MAX_PROGRAM_FUNCTIONS = 512
/** Most calls that one program has running. */
export const MAX_RUNNING_CALLS = 1_024
/** Most programs attached at the same time. */
export const MAX_PROGRAMS = 64

/** How long a message that is in no hurry waits for one that it can leave with. */
export const PATIENCE_MS = 5
/** Bytes that wait to be written before a sender of chunks has to wait. */
export const HIGH_WATER_BYTES = 1024 * 1024
/** Bytes that wait to be written before nothing more is read from the program. */
export const PAUSE_BYTES = 32 * 1024 * 1024
