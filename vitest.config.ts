import { defineConfig } from 'vitest/config'

// Four lanes: unit (no sockets), integration (nodes in one process), e2e (real daemons, CLI, Python), and
// hostile (peers that keep to nothing; HOSTILE_FULL=1 for the size that takes minutes).
const hostileTimeout = process.env['HOSTILE_FULL'] === '1' ? 600_000 : 60_000
export default defineConfig({
  test: {
    reporters: ['default', './test/closing-lines.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/*.test.ts'], testTimeout: 10_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'hostile',
          include: ['test/hostile/**/*.test.ts'],
          testTimeout: hostileTimeout,
          hookTimeout: 60_000,
          // Memory and time are measured.
          fileParallelism: false,
        },
      },
    ],
  },
})
