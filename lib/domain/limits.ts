// Every limit has a name, and its name is here. docs/reference/limits.md is generated from this file. Pure.
export const LIMITS = {
  // one request (design §3.1)
  bodyBytesMax: 32 * 1024,
  headerBytesMax: 8 * 1024,
  bodyDeadlineMs: 5_000,
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
  maxAgeSecondsDefault: 600,
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
  fetchBodyBytesMax: 64 * 1024,
  jwksKeysMax: 64,
  jwksRefreshSeconds: 600,
  jwksStaleSecondsMax: 3_600,
  jwksUnknownKidIntervalSeconds: 60,
  jwksNegativeKidsMax: 1_000,
  // credentials (design P2), seconds
  ttlSecondsDefault: 600,
  ttlSecondsMax: 3_600,
  ancestorDepthMax: 3,
  // own signing keys (attacks §1, design §2), seconds
  jwksMaxAgeSeconds: 300,
  keyPublicationDelaySeconds: 900,
  keyRotationSeconds: 24 * 3600,
  keyRetireSeconds: 3_600 + 300 + 60,
  // clock (design §3)
  clockStepSecondsMax: 30,
  clockRebaseSeconds: 60,
  mintDeadlineMs: 2_000,
  // rates: GCRA, [per second, burst] (attacks §6)
  sourceRate: [20, 600],
  sourceIssuerRate: [200, 600],
  subjectRate: [5, 300],
  tenantRate: [100, 1_000],
  tenantPerDay: 1_000_000,
  rateBucketsMax: 200_000,
  tenantConcurrencyMax: 300,
  instanceConcurrencyMax: 600,
  // denials (attacks §6 c, issue: the audit stream)
  denialsFullPerMinute: 20,
  denialsUnverifiedPerMinute: 60,
  denialQueueMax: 10_000,
  denialFlushMs: 100,
  denialKeysPerMinuteMax: 10_000,
  rollUpSourcesMax: 1_000,
  rolledUpIdsPerMinuteMax: 2_000,
  // store
  groupCommitMax: 64,
  storeWaitMs: 2_000,
  recordKeepSeconds: 7 * 24 * 3600,
  denialKeepSeconds: 7 * 24 * 3600,
  sweepRowsMax: 200,
  // documents
  tenantDocumentBytesMax: 1024 * 1024,
  patternCharsMax: 512,
  listItemsMax: 256,
} as const
