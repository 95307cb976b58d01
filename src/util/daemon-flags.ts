/**
 * Node flags of the daemon; `bin/easynetd` has them too. The size of the young generation in MiB: a smaller
 * one is collected every few ms under load, a larger one costs memory at rest. With 2, 4, 8 and 16 a call
 * among 64 took 281, 198, 166 and 148 µs of processor time in its four processes. With 2, 8 and 16 a daemon
 * took 144, 152 and 168 MiB at rest, and a call with 64 MiB of arguments 95, 96 and 105 MiB more at most.
 */
export const DAEMON_NODE_FLAGS = ['--max-semi-space-size=8']
