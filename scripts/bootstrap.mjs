// Installs what is missing before `npm start`, `npm run demo` (what runs) and `npm test` (everything: `all`). Plain
// JavaScript: it must run on Node 20, before the project's own Node 24 (an npm package, docs/dependencies.md) exists.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const inModules = (...path) => join(root, 'node_modules', ...path)
const wantsAll = process.argv.includes('all')

// npm writes this file last. It says how new an install is, not whether it had the development tools: vitest says that.
const installed = inModules('.package-lock.json')
const hasTools = existsSync(inModules('vitest'))
const isFresh =
  existsSync(installed) &&
  statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs &&
  (!wantsAll || hasTools)

if (!isFresh) {
  // Whoever has the tools keeps them: `npm start` after a pull would take them away.
  const [what, seconds] = wantsAll || hasTools ? [[], 60] : [['--omit=dev'], 10]
  process.stderr.write(`mintmark: installing dependencies (npm ci), about ${seconds} seconds...\n`)
  const done = spawnSync('npm', ['ci', ...what, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) {
    process.stderr.write('mintmark: npm ci failed; run it by hand to see why\n')
    process.exit(3)
  }
}
