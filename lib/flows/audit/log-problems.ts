// What can be wrong with a log, and what is said of it.

export const LOG_PROBLEMS = {
  checkpoint_missing: 'there is no checkpoint',
  checkpoint_invalid: 'the checkpoint is not signed by a key that is trusted, or is malformed',
  other_log: 'a checkpoint is of a log of another name',
  forked: 'the log is not the one that an earlier checkpoint was signed for',
  truncated: 'the log is shorter than a checkpoint that was seen before',
  entry_missing: 'a commitment is missing',
  event_missing: 'an event is missing',
  expired_unproven: 'events are gone, and no checkpoint that is trusted shows how old they are',
  expired_unasked: 'events are gone that no version of the tenant document lets go, or not yet',
  event_invented: 'there is a line, or a second one, that is no event of the log',
  event_altered: 'an event is not the one that was committed to',
  event_misplaced: 'an event does not say its own index, tenant or id',
  chain_broken: 'an event does not follow the one before it',
  tile_altered: 'a hash of a tile is not that of what it is made from',
  root_differs: 'the tree is not the one that was signed',
  record_missing: 'an event is of a record that does not exist',
  record_differs: 'an event says something else than its record',
} as const

export type LogProblem = keyof typeof LOG_PROBLEMS

/** `index`: of the first leaf that is bad or may be; null: no leaf is. */
export type Flaw = { readonly problem: LogProblem; readonly index: number | null }
