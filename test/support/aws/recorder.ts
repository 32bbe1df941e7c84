// Keeps every IAM decision of a run with all it was decided by, so that it can be decided again under other policies: "which
// statement was needed", "what would break if this Allow went". Entries are plain JSON, one a line in a file.
import { appendFileSync, readFileSync } from 'node:fs'
import type { Cloud } from './cloud.ts'
import type { Decision, IamRequest } from './decision.ts'
import { decideOnce } from './decision-cache.ts'
import type { StatementName } from './policies.ts'

export type Entry = IamRequest & {
  /** Tags of the session that asked; what the role itself is tagged with is only in the context. */
  readonly sessionTags: Readonly<Record<string, string>>
  readonly decision: Decision
}

export interface Recorder {
  record(entry: Entry): void
  /** In the order of the calls. */
  entries(): readonly Entry[]
  clear(): void
}

/** With `path`, each entry is also appended to that file as a line of JSON. */
export const createRecorder = (path?: string): Recorder => {
  const kept: Entry[] = []
  return {
    record: (entry) => {
      kept.push(entry)
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(entry)}\n`)
    },
    entries: () => kept,
    clear: () => {
      kept.length = 0
    },
  }
}

export const readEntries = (path: string): Entry[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)

export type Reevaluation = { readonly entry: Entry; readonly now: Decision; readonly isChanged: boolean }

/** Each recorded request decided by the policies of `cloud`, in the same order. Context is taken as it was recorded. */
export const reevaluate = async (entries: readonly Entry[], cloud: Cloud): Promise<Reevaluation[]> => {
  const again: Reevaluation[] = []
  for (const entry of entries) {
    const now = await decideOnce(cloud, entry)
    const isChanged = (now.outcome === 'Allowed') !== (entry.decision.outcome === 'Allowed')
    again.push({ entry, now, isChanged })
  }
  return again
}

/** The entries a statement had a part in: the only ones whose outcome its removal can change. */
export const entriesOf = (entries: readonly Entry[], { policy, statement }: StatementName): Entry[] =>
  entries.filter(({ decision }) =>
    decision.matched.some((name) => name.policy === policy && name.statement === statement),
  )

/** One of each kind: entries that differ in nothing but times. */
export const distinctEntries = (entries: readonly Entry[]): Entry[] => [
  ...new Map(
    entries.map((entry) => {
      const { principal, action, resource, context, decision } = entry
      const timeless = { ...context, 'aws:TokenIssueTime': '', 'aws:CurrentTime': '', 'aws:EpochTime': '' }
      return [JSON.stringify([principal, action, resource, timeless, decision.outcome]), entry]
    }),
  ).values(),
]
