/**
 * Node flags of the daemon; `bin/easynetd` has them too. The size of the young generation in MiB: a smaller
 * one is collected every few ms under load, a larger one costs memory at rest. With 2, 4, 8 and 16 a call
 * among 64 took 281, 198, 166 and 148 µs of processor time in its four processes. With 2, 8 and 16 a daemon
 * took 144, 152 and 168 MiB at rest, and a call with 64 MiB of arguments 95, 96 and 105 MiB more at most.
 *
 * V8 counts network buffers as if they were part of the heap, and lets a heap of our size grow by 10 to 30 %
 * before it collects all of it: during an upload every 10 MB. Allowed to grow by 200 %, the young generation
 * is collected before that and frees them: the receiver of an upload takes 2.3 ms of processor time per MiB
 * and not 6.0. 100 % is too little for a young generation of 8 MiB: 3.4 ms.
 */
export const DAEMON_NODE_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=200']
