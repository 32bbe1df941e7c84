// A thread of verify-crew.ts: answers each question it is asked.
import { parentPort, workerData } from 'node:worker_threads'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { openLog } from './open-log.ts'
import { answererOf, type CrewLog, type Done, type Task } from './verify-crew.ts'

const log = workerData as CrewLog
const answerer = answererOf(await openLog(log.dataDir, log.tenant), log)

const answerTo = async (task: Task): Promise<Done['answer']> => {
  try {
    return await (task.kind === 'leaves' ? answerer.leaves(task.question) : answerer.records())
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return null
  }
}

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage({ id: task.id, answer: await answerTo(task) } satisfies Done)
})
