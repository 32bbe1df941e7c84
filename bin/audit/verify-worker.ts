// A thread of verify-threads.ts: answers each question it is asked.
import { parentPort, workerData } from 'node:worker_threads'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { answererOf as answererOfExport } from './export-crew.ts'
import { answererOf as answererOfData } from './verify-crew.ts'
import type { CrewLog, Done, Task } from './verify-threads.ts'

const log = workerData as CrewLog
const answerer = log.kind === 'export' ? answererOfExport(log) : await answererOfData(log)

const answerTo = async (task: Task): Promise<Done['answer']> => {
  try {
    return await answerer.leaves(task.question)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return null
  }
}

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage({ id: task.id, answer: await answerTo(task) } satisfies Done)
})
