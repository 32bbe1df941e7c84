// User-space instructions of this process, by `perf stat` where the machine has it: unlike times they do not move with the load.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const ATTACH_MS = 300

const canCount = (): boolean =>
  /\d\S*\s+instructions/.test(String(spawnSync('perf', ['stat', '-e', 'instructions:u', 'true']).stderr))

/** Instructions of `work`, or null where nothing counts them. What runs meanwhile in this process is counted too. */
export const countInstructions = async (work: () => Promise<void>): Promise<number | null> => {
  if (!canCount()) {
    await work()
    return null
  }
  const perf = spawn('perf', ['stat', '-x', ',', '-e', 'instructions:u', '-p', String(process.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let printed = ''
  perf.stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  await sleep(ATTACH_MS)
  await work()
  perf.kill('SIGINT')
  await once(perf, 'close')
  const count = Number(/^(\d+),/m.exec(printed)?.[1])
  return Number.isFinite(count) ? count : null
}
