// Bundles each function to dist/<name>/index.mjs, as it will be shipped, and holds it to a byte budget: a careless import
// (all of zod, an SDK at module level) shows here before it shows in cold starts.
import { readdirSync, statSync } from 'node:fs'
import { build } from 'esbuild'

/** KiB, minified. Raised only with a reason in the commit. */
const BUDGET_KIB: Readonly<Record<string, number>> = { attest: 45, discovery: 15, mint: 45, trust: 20 }

let isOver = false
for (const name of readdirSync('functions').sort()) {
  const outfile = `dist/${name}/index.mjs`
  await build({
    entryPoints: [`functions/${name}/handler.ts`],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    logLevel: 'error',
  })
  const kib = statSync(outfile).size / 1024
  const budget = BUDGET_KIB[name] ?? 0
  if (kib > budget) isOver = true
  process.stdout.write(
    `${name.padEnd(10)} ${kib.toFixed(1).padStart(7)} KiB of ${budget}${kib > budget ? '  OVER' : ''}\n`,
  )
}
process.exitCode = isOver ? 1 : 0
