// Every metric there is, once: Prometheus text, EMF lines, dashboards, alert rules and docs/observability.md are made from this
// table. Names are OpenTelemetry's (dots, UCUM units); label values come from registered configuration and from closed lists
// of the program, never from a request (attacks row 36). Pure.

export type MetricKind = 'counter' | 'gauge' | 'histogram'

export type MetricDefinition = {
  readonly name: string
  readonly kind: MetricKind
  /** UCUM: `s`, `By`, or what is counted, in braces. */
  readonly unit: 's' | 'By' | '1' | `{${string}}`
  readonly labels: readonly string[]
  readonly says: string
  /** Which measure of the requirements it answers. */
  readonly answers?: string
  /** Counted on Lambda too; everything else is of the embedded broker, or CloudWatch has it from AWS. */
  readonly onLambda?: true
}

/** Upper bounds in seconds: OpenTelemetry's for HTTP, and 0.2 and 0.3, so that the objective (p95 < 300 ms) is a bound. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const

export const METRICS = {
  exchanges: {
    name: 'mintmark.exchanges',
    kind: 'counter',
    unit: '{exchange}',
    labels: ['tenant', 'outcome'],
    says: 'Requests to token endpoints that were answered, by outcome.',
    answers: 'M1: issued / (issued + unavailable + failed)',
    onLambda: true,
  },
  duration: {
    name: 'http.server.request.duration',
    kind: 'histogram',
    unit: 's',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    says: 'Time to the answer of token endpoints, by status.',
    answers: 'M2: 95th percentile where the status is 200',
    onLambda: true,
  },
  inFlight: {
    name: 'mintmark.exchanges.in_flight',
    kind: 'gauge',
    unit: '1',
    labels: [],
    says: 'Requests to token endpoints being served now.',
  },
  httpRefused: {
    name: 'mintmark.http.refused',
    kind: 'counter',
    unit: '{request}',
    labels: ['http_response_status_code'],
    says: 'Requests that were refused before an endpoint saw them, by status: 503 while the broker is not ready, 404 for no path of ours, the others for what HTTP says of them.',
  },
  issued: {
    name: 'mintmark.credentials.issued',
    kind: 'counter',
    unit: '{credential}',
    labels: ['tenant', 'provider', 'grant_type', 'credential_type'],
    says: 'Credentials issued, by the provider of the evidence, the OAuth grant and the kind of credential.',
  },
  privileged: {
    name: 'mintmark.credentials.privileged',
    kind: 'counter',
    unit: '{credential}',
    labels: ['tenant', 'credential_type'],
    says: 'Credentials issued that open much: cloud sessions, and tokens with the scope admin.',
    answers: 'M5: trend',
    onLambda: true,
  },
  denials: {
    name: 'mintmark.denials',
    kind: 'counter',
    unit: '{denial}',
    labels: ['tenant', 'reason'],
    says: 'Denials sent to the record, by what the caller was told.',
    answers: 'M3: by class; M9: reasons target, scope and rights',
    onLambda: true,
  },
  refusals: {
    name: 'mintmark.refusals',
    kind: 'counter',
    unit: '{denial}',
    labels: ['kind'],
    says: 'The same denials over all tenants, by their private reason (docs/reference/errors.md).',
    answers: 'M4: kind expired',
  },
  attestationFailures: {
    name: 'mintmark.attestation.failures',
    kind: 'counter',
    unit: '{denial}',
    labels: ['tenant', 'provider'],
    says: 'Evidence that did not verify, by the provider of the issuer it named.',
    answers: 'M7: over all exchanges',
    onLambda: true,
  },
  replays: {
    name: 'mintmark.replays',
    kind: 'counter',
    unit: '{denial}',
    labels: ['tenant'],
    says: 'Evidence presented again that was redeemed before, repeats with their Idempotency-Key aside.',
    answers: 'M6: none',
    onLambda: true,
  },
  securityEvents: {
    name: 'mintmark.security_events',
    kind: 'counter',
    unit: '{event}',
    labels: ['tenant', 'event', 'outcome'],
    says: 'Security events taken, by what they report and what came of them.',
    answers: 'M8: events token_leaked and secret_scanning_alert',
  },
  keyMoves: {
    name: 'mintmark.key.moves',
    kind: 'counter',
    unit: '{move}',
    labels: ['move', 'outcome'],
    says: 'Moves of own signing keys that this process made, and rounds of a tenant that failed.',
    answers: 'M10: done / (done + failed)',
  },
  keysOverdue: {
    name: 'mintmark.keys.overdue',
    kind: 'gauge',
    unit: '{key}',
    labels: ['use'],
    says: 'Active keys that should have been succeeded an hour ago or more.',
    answers: 'M10: none',
  },
  keyAge: {
    name: 'mintmark.key.age',
    kind: 'gauge',
    unit: 's',
    labels: ['use'],
    says: 'Age of the oldest active key of each use. Keys of logs do not rotate by age.',
  },
  issuerKeyRefreshes: {
    name: 'mintmark.issuer_key.refreshes',
    kind: 'counter',
    unit: '{refresh}',
    labels: ['outcome'],
    says: 'Attempts to fetch key sets of issuers; kept: the last good set is served on.',
  },
  revocations: {
    name: 'mintmark.revocations',
    kind: 'gauge',
    unit: '{revocation}',
    labels: ['kind'],
    says: 'Revocations in force.',
  },
  queueMessages: {
    name: 'mintmark.queue.messages',
    kind: 'gauge',
    unit: '{message}',
    labels: ['queue'],
    says: 'Messages that wait or are worked on; in queue revoke: revocations pending.',
  },
  queueAge: {
    name: 'mintmark.queue.oldest_age',
    kind: 'gauge',
    unit: 's',
    labels: ['queue'],
    says: 'How long the oldest message has waited; in queue revoke: whether one is stuck.',
  },
  deadLetters: {
    name: 'mintmark.dead_letters',
    kind: 'gauge',
    unit: '{message}',
    labels: ['queue'],
    says: 'Messages in quarantine, until an operator has looked at them.',
  },
  feedBacklog: {
    name: 'mintmark.feed.backlog',
    kind: 'gauge',
    unit: '{record}',
    labels: ['topic'],
    says: 'Records of the change feed that no log has yet, at most.',
  },
  feedLag: {
    name: 'mintmark.feed.lag',
    kind: 'gauge',
    unit: 's',
    labels: ['topic'],
    says: 'Age of the oldest record of the change feed that no log has yet.',
  },
  logLeaves: {
    name: 'mintmark.log.leaves',
    kind: 'gauge',
    unit: '{leaf}',
    labels: [],
    says: 'Leaves in the logs of all tenants.',
  },
  logUnsigned: {
    name: 'mintmark.log.unsigned',
    kind: 'gauge',
    unit: '{leaf}',
    labels: [],
    says: 'Leaves that no checkpoint covers.',
  },
  anchors: {
    name: 'mintmark.log.anchors',
    kind: 'gauge',
    unit: '{anchor}',
    labels: [],
    says: 'Places out of reach of the broker that checkpoints are delivered to.',
  },
  sinkBacklog: {
    name: 'mintmark.sink.backlog',
    kind: 'gauge',
    unit: '{event}',
    labels: ['tenant', 'sink'],
    says: 'Events of the log that the sink has not taken.',
  },
  sinkLag: {
    name: 'mintmark.sink.lag',
    kind: 'gauge',
    unit: 's',
    labels: ['tenant', 'sink'],
    says: 'Age of the oldest event that the sink has not taken.',
  },
  receiverBacklog: {
    name: 'mintmark.receiver.backlog',
    kind: 'gauge',
    unit: '{change}',
    labels: ['tenant', 'receiver'],
    says: 'Changes of revocations that the receiver has not taken.',
  },
  receiverLag: {
    name: 'mintmark.receiver.lag',
    kind: 'gauge',
    unit: 's',
    labels: ['tenant', 'receiver'],
    says: 'Age of the oldest change of a revocation that the receiver has not taken.',
  },
  alarms: {
    name: 'mintmark.alarms',
    kind: 'counter',
    unit: '{alarm}',
    labels: ['kind'],
    says: 'What nobody may overlook; each is also one line of the process log.',
  },
  storeUp: {
    name: 'mintmark.store.up',
    kind: 'gauge',
    unit: '1',
    labels: [],
    says: '1 while the store can be read; where it is 0, what is read from it is not shown.',
  },
  clockTrusted: {
    name: 'mintmark.clock.trusted',
    kind: 'gauge',
    unit: '1',
    labels: [],
    says: '1 while mint believes its clock; 0 is 503 for every exchange.',
  },
  eventLoopDelay: {
    name: 'mintmark.event_loop.delay',
    kind: 'gauge',
    unit: 's',
    labels: ['percentile'],
    says: 'Delay of the event loop over the last whole 10 s.',
  },
  // Named as every Prometheus client library names them: dashboards of hosts look for these.
  residentMemory: {
    name: 'process.resident_memory',
    kind: 'gauge',
    unit: 'By',
    labels: [],
    says: 'Resident memory.',
  },
  heapUsed: {
    name: 'nodejs.heap_size_used',
    kind: 'gauge',
    unit: 'By',
    labels: [],
    says: 'JavaScript heap in use.',
  },
  cpu: { name: 'process.cpu', kind: 'counter', unit: 's', labels: [], says: 'User and system processor time.' },
  startTime: {
    name: 'process.start_time',
    kind: 'gauge',
    unit: 's',
    labels: [],
    says: 'When the process started, Unix time.',
  },
} as const satisfies Record<string, MetricDefinition>

export type MetricKey = keyof typeof METRICS
