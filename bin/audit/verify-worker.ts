// A thread of verify-crew.ts: answers each stretch it is asked for.
import { parentPort, workerData } from 'node:worker_threads'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { type CheckedLeaves, checkLeaves, linkBefore } from '../../lib/flows/audit/check-leaves.ts'
import { openLog, VERIFY_PORTS } from './open-log.ts'
import { askedIn, type CrewLog, type Done, questionOf, type Task } from './verify-crew.ts'

const { dataDir, tenant, isErased } = workerData as CrewLog
const question = questionOf(askedIn(await openLog(dataDir, tenant)), isErased)
const { hashes } = VERIFY_PORTS

const check = async ({ expired, ...stretch }: Task): Promise<CheckedLeaves | null> => {
  try {
    const asked = { ...question, expired }
    return await checkLeaves(hashes, asked, stretch, await linkBefore(hashes, asked, stretch.start))
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return null
  }
}

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage({ id: task.id, checked: await check(task) } satisfies Done)
})
