import { defineConfig } from 'vitest/config'
import { PATIENCE } from './test/support/until.ts'

const setups = (...names: readonly string[]): string[] => names.map((name) => `test/support/${name}.ts`)

export default defineConfig({
  test: {
    // One after the other: both of the first make packages in the same folder, and the last judges what the suites recorded.
    projects: [
      {
        test: {
          ...PATIENCE,
          name: 'package',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: setups('require-node'),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...PATIENCE,
          name: 'aws',
          include: ['test/aws/**/*.test.ts'],
          exclude: ['test/aws/fences-recorded.test.ts'],
          // One DynamoDB Local serves the run; a table prefix a file keeps them apart.
          globalSetup: setups('require-node', 'packaged-stacks', 'recordings', 'dynamodb-local'),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...PATIENCE,
          name: 'recorded',
          include: ['test/aws/fences-recorded.test.ts'],
          globalSetup: setups('require-node', 'packaged-stacks'),
          sequence: { groupOrder: 2 },
        },
      },
    ],
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
