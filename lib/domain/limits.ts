// Every limit has a name, and its name is here. docs/reference/limits.md is generated from this file. Longer than 300 lines: one list. Pure.
export const LIMITS = {
  // one request (design §3.1)
  bodyBytesMax: 32 * 1024,
  headerBytesMax: 8 * 1024,
  bodyDeadlineMs: 5_000,
  // of one connection, while an earlier one is worked on
  requestsAheadMax: 16,
  tokenBytesMax: 16 * 1024,
  parameterCountMax: 32,
  // JOSE and JSON (issuers.md §0.2-0.3)
  joseHeaderBytesMax: 4 * 1024,
  jsonDepthMax: 8,
  jsonMembersMax: 256,
  jsonStringBytesMax: 2 * 1024,
  kidBytesMax: 256,
  jtiBytesMax: 256,
  rsaModulusBitsMin: 2048,
  rsaModulusBitsMax: 8192,
  // times of evidence (issuers.md §0.4), seconds
  leewaySeconds: 30,
  epochSecondsMax: 253_402_300_799,
  // replay (issuers.md §0.6, design §3)
  replayMarkerKeepSeconds: 24 * 3600,
  idempotencyWindowSeconds: 30,
  idempotencyKeyCharsMin: 16,
  idempotencyKeyCharsMax: 64,
  dpopProofAgeSecondsMax: 60,
  // issuer keys (issuers.md §0.10)
  fetchConnectMs: 3_000,
  fetchTotalMs: 5_000,
  // one name: within what connecting may take
  lookupMs: 2_500,
  lookupTryMs: 800,
  lookupTries: 3,
  fetchBodyBytesMax: 64 * 1024,
  jwksKeysMax: 64,
  jwksRefreshSeconds: 600,
  jwksStaleSecondsMax: 3_600,
  jwksUnknownKidIntervalSeconds: 60,
  jwksNegativeKidsMax: 1_000,
  jwksRetrySecondsMax: 20,
  jwksStoreRereadSeconds: 5,
  jwksIdleSeconds: 3_600,
  fetchedJsonDepthMax: 16,
  fetchedJsonMembersMax: 4_096,
  fetchedJsonStringBytesMax: 16 * 1024,
  // credentials (design P2), seconds
  ttlSecondsDefault: 600,
  ttlSecondsMax: 3_600,
  cloudSessionSecondsMin: 900,
  federationTokenSeconds: 60,
  stsConnectMs: 1_500,
  stsCallMs: 3_000,
  stsAnswerBytesMax: 16 * 1024,
  externalIdProofSeconds: 3_600,
  // own signing keys (attacks §1, design §2), seconds
  jwksMaxAgeSeconds: 300,
  keyPublicationDelaySeconds: 900,
  keyRotationSeconds: 24 * 3600,
  // of the embedded broker: all tenants' keys are looked at this often, and this often whether a document was applied beside it
  rotateEveryMs: 30_000,
  rotateLookMs: 250,
  keyRetireSeconds: 3_600 + 300 + 60,
  kmsCallMs: 1_500,
  // clock (design §3)
  clockStepSecondsMax: 30,
  clockRebaseSeconds: 60,
  mintDeadlineMs: 2_000,
  mintInvokeMs: 3_000,
  trustInvokeMs: 7_000,
  // rates: GCRA, [per second, burst] (attacks §6)
  sourceRate: [20, 600],
  sourceIssuerRate: [200, 600],
  callerSourceRate: [200, 600],
  // who mirrors a log asks for tile after tile
  logSourceRate: [200, 2_000],
  subjectRate: [5, 300],
  tenantRate: [100, 1_000],
  tenantPerDay: 1_000_000,
  rateBucketsMax: 200_000,
  tenantConcurrencyMax: 300,
  instanceConcurrencyMax: 600,
  turnWaitMs: 2_000,
  startsPerTurnMax: 4,
  // refusals by a verified rate: of one source and tenant these are answered at once, [per second, burst], the others are held,
  // at least and at most so long, and leave so far apart: no faster than the rate of a tenant refills
  promptRefusalRate: [0.05, 2],
  heldAnswerMs: [2_000, 8_000],
  heldAnswerStepMs: 10,
  // half of the files that the meanest system lets a process have open
  heldAnswersMax: 2_000,
  // there each takes two connections of a proxy that others need too, and may have no more than 1,024
  heldBehindProxyMax: 250,
  // how long such a source is not read when it names that tenant
  pauseMs: 8_000,
  pausesMax: 10_000,
  // denials (attacks §6 c, issue: the audit stream)
  denialsFullPerMinute: 20,
  denialsUnverifiedPerMinute: 60,
  denialsOfRatePerMinute: 60,
  denialQueueMax: 10_000,
  // of these for the first replay of a credential alone
  denialQueueForReplays: 1_000,
  // a round of writing them is followed by a rest of so many times as long as it took, at most so long; after a failure by this
  denialRestTimes: 9,
  denialRestMsMax: 1_000,
  denialRetryMs: 100,
  // refusals that waited for one such round and go out before others have their turn
  answersPerTurn: 32,
  denialKeysPerMinuteMax: 10_000,
  rollUpSourcesMax: 1_000,
  rolledUpIdsPerMinuteMax: 2_000,
  denialBytesMax: 64 * 1024,
  denialsPerMessageMax: 32,
  rollUpIdsPerMessageMax: 32,
  unsentMessagesMax: 1_000,
  // revocation orders (design §3): a cut spares nothing that a clock this far ahead, and a mint that began before, may sign
  cutMarginSeconds: 30,
  /** IAM hangs 10 policies on a role unless asked for more; some are the owner's, and the last of ours is the one that denies all. */
  denyTextsPerRoleMax: 5,
  iamCallMs: 3_000,
  // records a dry run looks at
  previewRecordsMax: 20_000,
  reasonCharsMax: 512,
  selectorValueBytesMax: 2 * 1024,
  orderSelectorsMax: 4,
  // how long an order may wait in its queue and still be believed
  orderWaitSecondsMax: 14 * 24 * 3600,
  // the revocation feed: how long a page holds, how long it is served again, and how long others may keep it
  feedSeconds: 60,
  feedReuseSeconds: 5,
  // pages of history made for a tenant, and snapshots, [per second, burst]: one may take the time of twenty exchanges
  feedPageRate: [5, 50],
  // this close to the head a page is what verifiers live on, is short, and takes nothing of that
  feedLiveChanges: 64,
  feedMaxAgeSeconds: 5,
  feedChangesPerPage: 8_192,
  // there each change is a row to read: ten requests side by side
  feedChangesPerPageOnAws: 1_000,
  feedInvokeMs: 5_500,
  feedCacheCharsMax: 16 * 1024 * 1024,
  // security events: what is older than the first is refused, what was received is remembered for the second
  eventAgeSecondsMax: 7 * 24 * 3600,
  eventKeepSeconds: 8 * 24 * 3600,
  eventRate: [200, 2_000],
  eventRulesMax: 16,
  secretFileBytesMax: 4 * 1024,
  secretCallMs: 2_000,
  // receivers of revocations. A lease outlives a turn and the request begun at its end
  receiversMax: 16,
  receiverLeaseMs: 10_000,
  receiverTurnMs: 4_000,
  receiverSetsPerTurn: 32,
  receiverSetsAhead: 8,
  receiverPushesMax: 256,
  receiverAnswerBytesMax: 4 * 1024,
  // on AWS: numbers and ranges below the last answer that a receiver may owe us one for; how long one wake is worked on, how far
  // wakes of a storm are apart, and how many tenants are looked at side by side
  receiverOpenMax: 512,
  receiverWakeMs: 12_000,
  receiverWakeGatherMs: 1_000,
  receiverTenantsAtOnce: 16,
  receiverRetryMsBase: 500,
  receiverRetryMsMax: 60_000,
  receiverLookMs: 100,
  receiverStuckSeconds: 300,
  receiverAlarmEveryMs: 60_000,
  // polls of receivers: SETs in one answer, answers to SETs in one request, how long one that found nothing waits
  pollSetsMax: 64,
  pollAnswersMax: 512,
  pollWaitMs: 25_000,
  pollLookMs: 250,
  pollsWaitingMax: 1_000,
  pollsWaitingPerReceiver: 4,
  // lists of operators, a page at a time
  adminPageMax: 500,
  // the audit log over HTTP: events of one answer, leaves one search looks at, characters of a filter
  auditPageMax: 256,
  auditScanMax: 1_024,
  auditFilterCharsMax: 2_048,
  // an order that carries one must fit into a message with it, escaped
  findingBytesMax: 100 * 1024,
  // queues
  queueMessageBytesMax: 256 * 1024,
  queueReceivesMax: 5,
  queueLeaseMs: 60_000,
  queueRetryMsBase: 100,
  queueRetryMsMax: 30_000,
  queuePollMs: 100,
  queueBatchMax: 256,
  // messages of a batch that begin in one turn of the event loop
  queueTurnMax: 16,
  queueSendMs: 1_000,
  // audit log
  logAppendTriesMax: 8,
  // after this a record without a leaf is missing, and not on its way
  logOwedAfterSeconds: 600,
  // a run of audit that compares logs with their records, so many of them side by side; the next one goes on
  repairRunMs: 40_000,
  repairTenantsAtOnce: 8,
  // numbered changes that are read at a time to be looked for in the log: one request of the store for each of its two answers
  changesPerCompare: 100,
  // of one call of the log's store on AWS: nobody waits for it, and a transaction of a hundred rows takes its time
  logWaitMs: 10_000,
  // tenants' logs of the embedded broker
  logEntriesPerCommit: 512,
  feedRowsPerRound: 512,
  // of these at a time, and no more than so many characters of them
  feedRowsPerRead: 32,
  feedLengthPerRound: 1024 * 1024,
  // of events whose texts are in memory at once, but for one that is longer
  logBytesPerCommit: 4 * 1024 * 1024,
  logRoundMs: 1_000,
  // denials that are looked at for replays between two exchanges
  replayRowsPerRound: 256,
  // no shorter than records are kept that events are compared with, or that could be brought again
  auditKeepDaysMin: 30,
  auditKeepDaysMax: 3_660,
  // after its minute a count of denials may still come in from a process that flushes late
  rollUpSettleSeconds: 5,
  // sinks
  sinkEventsPerRequest: 256,
  sinkRequestBytesMax: 512 * 1024,
  sinkRequestsPerDelivery: 32,
  // to find the events a sink can never take, a request is split this often
  sinkSplitRequestsMax: 64,
  // and so many behind them are offered alone, to see that it takes anything
  sinkProbesMax: 4,
  sinksAtOnceMax: 8,
  // of these, of one tenant
  sinksAtOncePerTenantMax: 2,
  sinksMax: 16,
  sinkLeaseMs: 30_000,
  // of a request to a webhook, where the key is in another function; a lease outlasts this and the call
  sinkSignMs: 3_000,
  sinkConnectMs: 3_000,
  sinkCallMs: 8_000,
  sinkAnswerBytesBase: 64 * 1024,
  sinkAnswerBytesPerEvent: 1024,
  // an indexer may take its time: how long one delivery asks, and after how long everything is sent again
  sinkAcknowledgeWaitMs: 8_000,
  sinkAcknowledgePollMs: 500,
  sinkAcknowledgeMs: 180_000,
  sinkRetryMsBase: 1_000,
  sinkRetryMsMax: 60_000,
  sinkRetryAfterMsMax: 300_000,
  sinkLagAlarmSeconds: 300,
  sinkAlarmEveryMs: 60_000,
  // how old an errand may be that a broker still does, and how long who asked waits for it: from afar for two runs of deliver
  sinkErrandSecondsMax: 300,
  sinkErrandWaitMs: 30_000,
  sinkErrandWaitFromAfarMs: 120_000,
  sinkDeadLettersPerResend: 1_000,
  // a run of the function deliver; what it has begun by then may take as long again as a lease
  deliverRunMs: 40_000,
  // disk the logs may have before they wait in the feed
  auditBytesDefault: 64 * 1024 * 1024 * 1024,
  // anchors
  anchorEveryMs: 60_000,
  anchorMissesMax: 8,
  anchorCallMs: 2_000,
  witnessAnswerBytesMax: 16 * 1024,
  // comparing with the locked bucket: a page of names, objects read at a time, tries of one request
  anchorPageBytesMax: 1024 * 1024,
  anchorReadsAtOnce: 32,
  anchorReadTriesMax: 4,
  anchorReadBackoffMs: 100,
  logTileMaxAgeSeconds: 365 * 24 * 3600,
  // events of the audit stream: a CloudEvent up to 64 KiB is forwarded by every intermediary
  eventTextCharsMax: 2 * 1024,
  eventTextCharsShort: 128,
  eventItemsShort: 64,
  eventBytesMax: 56 * 1024,
  // store
  groupCommitMax: 64,
  // of what nobody waits for on the line: a whole batch of orders is one write
  orderCommitMax: 256,
  storeWaitMs: 2_000,
  recordKeepSeconds: 7 * 24 * 3600,
  denialKeepSeconds: 7 * 24 * 3600,
  sweepRowsMax: 200,
  // the store on AWS; all requests of one call share storeWaitMs
  dynamoConnectMs: 500,
  dynamoRequestMs: 500,
  configCacheSeconds: 30,
  revocationRowsPerTenantMax: 5_000,
  revocationRowsCachedMax: 50_000,
  configDocumentBytesMax: 350 * 1024,
  clockMarkWriteSeconds: 30,
  rateReportsPerBurst: 16,
  rateWaitMs: 250,
  tenantSessionSeconds: 900,
  tenantSessionsMax: 200,
  // recovery: how far numbers of revocations jump, beyond all that can have been given out in what was lost; how often a broker looks
  // whether the store is in quarantine; how much of an anchor's file is read at start, its end; how often audit.db is told how far the
  // records were taken
  recoveryNumbersSkipped: 1_000_000_000,
  quarantineLookMs: 1_000,
  anchorTailBytes: 8 * 1024 * 1024,
  feedPositionEveryMs: 10_000,
  // rows of events that a run of the function erase drops of one log; the next run goes on
  erasedRowsPerRun: 20_000,
  removedTenantKeepSeconds: 7 * 24 * 3600,
  // tenants that are applied, or whose keys are moved, at a time: their writes share commits
  tenantsAtOnceMax: 64,
  // metrics: tenants with series of their own, series of a metric by sink or event, how old what is read from the store may be
  metricTenantsMax: 500,
  metricSeriesMax: 1_000,
  metricStateSeconds: 5,
  metricWriteSeconds: 10,
  // an active key that is this much older than it should be: rotation does not work
  keyOverdueSeconds: 3_600,
  // the job's side (mintmark token): a retry must fall inside the window in which a repeat is not a replay
  clientTimeoutMs: 10_000,
  clientTriesMax: 4,
  clientRetryWindowMs: 28_000,
  clientBackoffBaseMs: 1_000,
  clientBackoffMaxMs: 8_000,
  clientAnswerBytesMax: 64 * 1024,
  // documents
  tenantDocumentBytesMax: 1024 * 1024,
  patternCharsMax: 512,
  listItemsMax: 256,
} as const
