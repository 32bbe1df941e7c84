import { defineConfig } from 'vitest/config'
import { PATIENCE } from './test/support/until.ts'

export default defineConfig({
  test: {
    include: ['test/slow/**/*.test.ts'],
    // One at a time: they measure, and the machine has two cores.
    fileParallelism: false,
    globalSetup: ['test/support/require-node.ts'],
    ...PATIENCE,
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
