// The one mapping from what the change feed brings to what a SIEM reads. The same entry always gives the same events under
// the same ids, so that what is brought twice is noticed. Pure.
import type { AuditEntry } from '../audit-entry.ts'
import type { GrantRecord } from '../grant-record.ts'
import { eventOfRollUp, eventsOfDenial } from './denial.ts'
import { eventOfChange, eventOfRevocation } from './entity.ts'
import type { EventPlace, OcsfEvent } from './event.ts'
import { draftOf, type EventDraft } from './event-draft.ts'
import { draftsOfGrant, eventOfNotIssued, eventsOfGrant } from './issuance.ts'
import { eventOfReceiver } from './receiver.ts'

/** An entry no event can be made of: a row of a later version. Waiting does not help. */
export class NotAnEvent extends Error {
  constructor(options: ErrorOptions) {
    super('an entry cannot become an event', options)
    this.name = 'NotAnEvent'
  }
}

/**
 * `recordOf`: the grant record of an outcome, or null where it is gone. At least one event, the entry's own first. Throws
 * NotAnEvent.
 */
export const eventsOf = (entry: AuditEntry, place: EventPlace, recordOf: RecordOf): readonly OcsfEvent[] =>
  orNotAnEvent(() => mapped(entry, place, recordOf))

/** The same events, written when their place in the log is known. What is in an entry may turn out only then: NotAnEvent. */
export const draftsOf = (entry: AuditEntry, place: EventPlace, recordOf: RecordOf): readonly EventDraft[] => {
  if (entry.kind !== 'grant') return eventsOf(entry, place, recordOf).map(draftOf)
  return orNotAnEvent(() => draftsOfGrant(entry, place)).map(({ uid, time, typeUid, unsigned }) => ({
    uid,
    time,
    typeUid,
    unsigned: (at) => orNotAnEvent(() => unsigned(at)),
  }))
}

const orNotAnEvent = <T>(work: () => T): T => {
  try {
    return work()
  } catch (cause) {
    throw new NotAnEvent({ cause })
  }
}

type RecordOf = (decisionId: string) => GrantRecord | null

const mapped = (entry: AuditEntry, place: EventPlace, recordOf: RecordOf): readonly OcsfEvent[] => {
  switch (entry.kind) {
    case 'grant':
      return eventsOfGrant(entry.record, place)
    case 'not_issued':
      return [eventOfNotIssued(entry.outcome, recordOf(entry.outcome.decisionId), place)]
    case 'denial':
      return eventsOfDenial(entry.denial, place)
    case 'roll_up':
      return [eventOfRollUp(entry.rollUp, place)]
    case 'revocation':
      return [eventOfRevocation(entry.applied)]
    case 'change':
      return [entry.change.what === 'receiver' ? eventOfReceiver(entry.change, place) : eventOfChange(entry.change)]
  }
}
