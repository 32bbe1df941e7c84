import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{aws,infra}/**/*.test.ts'],
    // One DynamoDB Local serves the run; a table prefix a file keeps them apart.
    globalSetup: ['test/support/require-node.ts', 'test/support/dynamodb-local.ts', 'test/support/packaged-stacks.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
