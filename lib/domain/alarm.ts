// What nobody may overlook: each kind is one constant log line and one counted metric of the same name. Pure.

export const ALARMS = {
  record_tampered: 'a grant record or its outcome was changed or removed',
  record_unreadable: 'a stream record could not be read and was quarantined',
  record_unlogged: 'records had no leaf in the log of their tenant and are appended late',
  log_not_signed: 'a log has grown and could not be signed',
  message_quarantined: 'a queue message was quarantined',
  role_shut: 'a cloud role had no room for one denial more and is denied whole',
  sessions_out_of_reach:
    'sessions of a cloud role were revoked where the broker has no rights, and live on to their end',
  event_not_carried_out: 'a security event that is authentic was refused',
  event_selects_nothing: 'a security event selects nothing of the tenant and was recorded',
  event_stream_ending: 'a transmitter of security events says that it stops sending',
  receiver_stuck: 'a receiver of revocations has not taken one for minutes',
  receiver_full: 'a receiver of revocations has refused as many as are kept track of, and stands still',
  sink_behind: 'a sink has not taken events for minutes',
  sink_dead_letter: 'a sink can never take some events: they are kept, to be sent again',
  log_budget_reached: 'the logs have the disk they may have: records wait in the feed, nothing is dropped',
  checkpoint_not_anchored: 'a checkpoint could not be given to an anchor',
  anchor_disagrees: 'an anchor has seen another log than this one: somebody has rewritten one of them',
  keys_not_rotated: 'keys of tenants could not be rotated',
  denials_not_sent: 'denials could not be queued and wait in this instance',
} as const

export type AlarmKind = keyof typeof ALARMS

/** Ids, codes and counts only: never a value of a claim, a message or a token. */
export type AlarmFields = Readonly<Record<string, string | number | null>>

export type Alarm = (kind: AlarmKind, fields: AlarmFields) => void
