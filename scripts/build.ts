// Bundles each function as it will be shipped and holds it to a byte budget: a careless import (all of zod, an SDK at module
// level) shows here before it shows in cold starts.
import { join } from 'node:path'
import { FUNCTIONS, type FunctionName } from '../infra/names.ts'
import { bundle } from './bundle.ts'

/** KiB, minified. Raised only with a reason in the commit. */
const BUDGET_KIB: Readonly<Record<FunctionName, number>> = {
  admin: 445,
  attest: 404,
  audit: 400,
  checkpoint: 310,
  deliver: 420,
  discovery: 376,
  erase: 340,
  events: 440,
  feed: 400,
  introspect: 390,
  mint: 430,
  poll: 415,
  push: 420,
  revoke: 440,
  rotate: 384,
  trust: 343,
}

const root = join(import.meta.dirname, '..')
for (const name of FUNCTIONS) {
  const kib = (await bundle(root, name)) / 1024
  const isOver = kib > BUDGET_KIB[name]
  if (isOver) process.exitCode = 1
  process.stdout.write(
    `${name.padEnd(10)} ${kib.toFixed(1).padStart(7)} KiB of ${BUDGET_KIB[name]}${isOver ? '  OVER' : ''}\n`,
  )
}
