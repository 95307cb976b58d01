import { defineConfig } from 'vitest/config'

// Links that lose, delay and go dead, between network namespaces: `npm run test:netlab`. Needs root, iproute2, gcc.
export default defineConfig({
  test: {
    name: 'netlab',
    reporters: ['default', './test/closing-lines.ts'],
    include: ['test/netlab/**/*.test.ts'],
    testTimeout: 180_000,
    fileParallelism: false,
  },
})
