/**
 * Node flags of the daemon; `bin/easynetd` has them too. A small young generation frees network buffers
 * sooner: with the default a call with 64 MiB of arguments took 130 to 150 MiB, so it is 80 to 90.
 */
export const DAEMON_NODE_FLAGS = ['--max-semi-space-size=2']
