// One process of the fault tests: a recovery of a data directory that is killed the moment its step STEP is durable; without STEP, or
// where there are fewer, it goes to its end. Prints the name of each step.
// Usage: recover-until.ts DATA_DIR [STEP]
import { writeSync } from 'node:fs'
import { openStore } from '../../bin/embedded/open-store.ts'
import { openRecovery } from '../../bin/embedded/recovery.ts'
import { type RecoverPorts, recoverStore } from '../../lib/flows/recovery/recover-store.ts'

const [dataDir, until] = process.argv.slice(2)
if (dataDir === undefined) throw new TypeError('a data directory is wanted')
const opened = openStore({ dataDir, dev: null, masterKey: undefined })
if (!opened.ok) throw new Error(opened.problem)
const { ports, close } = openRecovery(opened.store, dataDir)

let steps = 0
/** The same, that counts as a step. */
const step =
  <A extends unknown[], T>(name: string, work: (...args: A) => Promise<T>) =>
  async (...args: A): Promise<T> => {
    const done = await work(...args)
    steps += 1
    // Synchronous: a line handed to the kernel survives SIGKILL.
    writeSync(1, `${name}\n`)
    if (steps === Number(until)) process.kill(process.pid, 'SIGKILL')
    return done
  }

const { store, keys, revoke } = ports
const stepped: RecoverPorts = {
  ...ports,
  store: {
    state: () => store.state(),
    quarantine: step('quarantine', (...args) => store.quarantine(...args)),
    skipNumbers: step('numbers', () => store.skipNumbers()),
    finish: step('finish', (...args) => store.finish(...args)),
  },
  keys: { ...keys, move: step('key', (...args) => keys.move(...args)) },
  rotate: step('rotate', ports.rotate),
  revoke: {
    ...revoke,
    revocations: { ...revoke.revocations, put: step('cut', (...args) => revoke.revocations.put(...args)) },
    orders: {
      find: (...args) => revoke.orders.find(...args),
      put: step('order', (...args) => revoke.orders.put(...args)),
    },
  },
  forgetPositions: step('positions', ports.forgetPositions),
  // No broker runs here that would have to see the quarantine first.
  sleep: async () => {},
}
await recoverStore(stepped, { by: 'test', uid: process.getuid?.() ?? 0, reason: 'restored', seen: {} })
await close()
opened.store.database.close()
