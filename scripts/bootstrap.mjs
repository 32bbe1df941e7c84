// Installs what is missing before `npm start`, `npm test` and `npm run demo`. Plain JavaScript: it must run on Node 20,
// before the project's own Node 24 (an npm package, see docs/dependencies.md) exists.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const installed = join(root, 'node_modules', '.package-lock.json')
const wanted = join(root, 'package-lock.json')

const isFresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs
if (!isFresh) {
  process.stderr.write('mintmark: installing dependencies (npm ci), about 20 seconds...\n')
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) {
    process.stderr.write('mintmark: npm ci failed; run it by hand to see why\n')
    process.exit(3)
  }
}
