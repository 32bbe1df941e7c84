import { defineConfig } from 'vitest/config'
import { compileCache } from './test/support/compile-cache.ts'
import { PATIENCE } from './test/support/until.ts'

compileCache()

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'test/aws/**', 'test/infra/**', 'node_modules/**'],
    globalSetup: ['test/support/require-node.ts'],
    // Files share a process: nothing of ours keeps state in a module (house style), and loading zod, every schema and every preset
    // anew for each of 180 files took longer than the tests.
    isolate: false,
    // Every core: by default one is left out, which of two is half.
    maxWorkers: '100%',
    ...PATIENCE,
    reporters: process.env['MINTMARK_TEST_REPORT']
      ? ['default', ['json', { outputFile: process.env['MINTMARK_TEST_REPORT'] }]]
      : ['default'],
    coverage: { include: ['lib/**'] },
  },
})
