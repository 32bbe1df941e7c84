import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'test/aws/**', 'test/infra/**', 'node_modules/**'],
    globalSetup: ['test/support/require-node.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
