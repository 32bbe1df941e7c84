import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/slow/**/*.test.ts'],
    // One at a time: they measure, and the machine has two cores.
    fileParallelism: false,
    globalSetup: ['test/support/require-node.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
