// Design §2 as one table: what each function may, by its own credentials and by its session of one tenant. All that is tried
// and is not here, it may not. Longer than 300 lines: one table.
import type { KINDS } from './deeds.ts'

type Kind = (typeof KINDS)[number]
const rows = (verbs: readonly string[], kinds: readonly Kind[], of = ''): string[] =>
  kinds.flatMap((kind) => verbs.flatMap((verb) => [`${verb} ${kind}${of}`, ...among(verb, kind, of)]))
/** What is a part of it. */
const among = (verb: string, kind: Kind, of: string): string[] =>
  verb === 'query' && kind === 'signingKeys' ? [`read when keys moved${of}`] : []

const ofBoth = (...deeds: readonly string[]): string[] =>
  deeds.flatMap((deed) => [`${deed} of own`, `${deed} of other`])
const UPDATE = ['update', 'update, in a transaction,']
/** What Lambda does with the role; code in the isolated subnets cannot even reach these services. */
const LAMBDA = ['write its process log', 'send a trace']
const poll = (queue: string): string[] => [`ReceiveMessage ${queue}`, `DeleteMessage ${queue}`]

export type Rights = {
  /** With the credentials Lambda gives the function. Of a tenant: of any, as a fence by kind of row has it. */
  readonly itself: readonly string[]
  /** With its session of the tenant `own`; of `other` none may do anything. */
  readonly forTenant?: readonly string[]
  /** What is left of its own credentials outside of the function. */
  readonly elsewhere: readonly string[]
}

export const RIGHTS: Readonly<Record<string, Rights>> = {
  // "sign, write records, reach the internet" it may not; it "writes nothing but rate counters".
  attest: {
    itself: [
      ...ofBoth('get config'),
      'get issuerKeySets',
      ...rows(UPDATE, ['rates']),
      'invoke mint:issue',
      'invoke trust',
      'SendMessage denials',
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "verify the evidence again, put the grant record, read revocations, sign or assume a role"; no row that says what to trust.
  mint: {
    itself: [
      ...ofBoth("open mint's session", 'use workload role'),
      ...rows(['get'], ['issuerKeySets', 'clockMark']),
      ...rows(UPDATE, ['clockMark']),
    ],
    forTenant: [
      ...rows(['put'], ['grants', 'decisions', 'proofs', 'feedSecret'], ' of own'),
      ...rows(
        ['get', 'query', 'batch get'],
        ['config', 'grants', 'revocations', 'revocationVersion', 'signingKeys', 'feedSecret'],
        ' of own',
      ),
      ...rows(UPDATE, ['signingKeys'], ' of own'),
      'write provenAt of an own key of own',
      'decrypt token of own',
      'decrypt feed-secret of own',
      'encrypt feed-secret of own',
      'sign with held key of own',
      'read public half of held key of own',
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "only writer of the key cache"; no verdict is kept (docs/storage.md). "sign, see tenants' keys" it may not.
  trust: {
    itself: [
      ...ofBoth('get config', 'batch get config'),
      ...rows(['query'], ['tenantList']),
      ...rows(['get', 'batch get', 'put'], ['issuerKeySets']),
      'SendMessage trust-dlq',
      ...LAMBDA,
    ],
    elsewhere: ['SendMessage trust-dlq', ...LAMBDA],
  },
  // "write revocations, close the subtree, fan out"; "mint, undo a revocation silently" it may not.
  revoke: {
    itself: [
      ...ofBoth("open revoke's session"),
      'get issuerKeySets',
      ...poll('revoke'),
      'SendMessage revoke-dlq',
      'SendMessage push',
      ...LAMBDA,
    ],
    forTenant: [
      ...rows(
        ['get', 'batch get', 'query', 'put', ...UPDATE],
        ['revocations', 'revocationVersion', 'revocationChanges', 'appliedOrders'],
        ' of own',
      ),
      ...rows(['get', 'batch get', 'query'], ['config', 'grants', 'decisions', 'signingKeys'], ' of own'),
      ...rows(['get'], ['logDenials'], ' of own'),
      "read a transmitter's secret of own",
      'make deny text of own',
      'attach deny text to role of own',
      'attach what denies all to role of own',
      'count policies of role of own',
    ],
    elsewhere: [...poll('revoke'), 'SendMessage revoke-dlq', 'SendMessage push', ...LAMBDA],
  },
  // The half of revoke that is asked: `signal` is a use of its own; what it says cannot make a revocation.
  feed: {
    itself: [...ofBoth("open feed's session"), ...rows(['get'], ['clockMark'])],
    forTenant: [
      ...rows(
        ['get', 'query', 'batch get'],
        ['config', 'revocations', 'revocationVersion', 'revocationChanges', 'signingKeys', 'feedSecret'],
        ' of own',
      ),
      ...rows(UPDATE, ['signingKeys'], ' of own'),
      'write provenAt of an own key of own',
      'decrypt signal of own',
      'decrypt feed-secret of own',
      'sign with held signal key of own',
      'read public half of held signal key of own',
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "authenticate a security event, turn it into a revocation order on the queue"; "act on it directly" it may not.
  events: {
    itself: [
      ...ofBoth("open events's session", ...rows(['get', 'batch get'], ['config'])),
      ...rows(['query'], ['tenantList']),
      ...rows(['get', 'batch get'], ['issuerKeySets']),
      'invoke trust',
      'SendMessage revoke',
      'SendMessage findings-dlq',
      // Polling is Lambda's own.
      ...poll('findings'),
    ],
    forTenant: [
      ...rows(['put', 'get', 'batch get', 'query'], ['securityEvents'], ' of own'),
      ...rows(['get', 'batch get', 'query'], ['grants', 'decisions', 'signingKeys'], ' of own'),
      "read a transmitter's secret of own",
    ],
    elsewhere: [...poll('findings'), ...LAMBDA, 'attach to a network'],
  },
  // RFC 7662 and RFC 7009; it writes that a proof was shown and nothing else, and what it orders carries the caller's token.
  introspect: {
    itself: [...ofBoth("open introspect's session"), 'SendMessage revoke', 'SendMessage denials'],
    forTenant: [
      ...rows(
        ['get', 'batch get', 'query'],
        ['config', 'grants', 'decisions', 'revocations', 'revocationVersion', 'signingKeys'],
        ' of own',
      ),
      ...rows(['put', 'get'], ['callerProofs'], ' of own'),
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "decisions, search, revocation orders, simulation"; "reach another tenant; edit trust" it may not.
  admin: {
    itself: [...ofBoth("open admin's session"), 'SendMessage revoke', 'SendMessage denials'],
    forTenant: [
      ...rows(
        ['get', 'batch get', 'query'],
        ['config', 'grants', 'decisions', 'revocations', 'revocationVersion', 'signingKeys'],
        ' of own',
      ),
      ...rows(['put', 'get'], ['callerProofs'], ' of own'),
      ...rows(['query'], ['revocationChanges'], ' of own'),
      ...rows(['get'], ['appliedOrders'], ' of own'),
      ...rows(['batch get'], ['receivers', 'revocationChanges'], ' of own'),
      ...rows(['get'], ['logDenials'], ' of own'),
      ...rows(['put'], ['lookUps'], ' of own'),
      ...rows(
        ['get', 'query'],
        [
          'log',
          'logHead',
          'logUids',
          'publicLog',
          'logCheckpoints',
          'logExpired',
          'sinks',
          'deadLetters',
          'sinkErrands',
        ],
        ' of own',
      ),
      ...rows(['put'], ['sinkErrands'], ' of own'),
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "append to the tenant's log, deliver to sinks, checkpoint"; "change or delete a record" it may not.
  audit: {
    itself: [
      ...ofBoth("open audit's session"),
      ...rows(['query', ...UPDATE], ['logList']),
      'read the change feed',
      ...poll('denials'),
      'SendMessage audit-dlq',
      'SendMessage denials-dlq',
      'SendMessage revoke',
    ],
    forTenant: [
      // Of an outcome its record; of a replay what it was of, and whether that revokes; what the log is compared with.
      ...rows(['get', 'batch get'], ['config', 'grants', 'decisions', 'appliedOrders'], ' of own'),
      ...rows(['query'], ['decisions', 'lookUps', 'revocationChanges'], ' of own'),
      'read when keys moved of own',
      ...rows(['put'], ['log', 'logHead', 'logUids', 'publicLog', 'logDenials'], ' of own'),
      ...rows(['get', 'batch get', 'query'], ['logHead', 'logUids', 'publicLog'], ' of own'),
    ],
    elsewhere: [
      'read the change feed',
      ...poll('denials'),
      'SendMessage audit-dlq',
      'SendMessage denials-dlq',
      'SendMessage revoke',
      ...LAMBDA,
      'attach to a network',
    ],
  },
  // The half of audit that signs: who appends cannot sign, who signs cannot append, nor see what the log is about.
  checkpoint: {
    itself: [
      ...ofBoth("open checkpoint's session"),
      ...rows(['query', ...UPDATE], ['logList']),
      'SendMessage checkpoint-dlq',
    ],
    forTenant: [
      ...rows(['get', 'batch get', 'query'], ['logHead', 'publicLog', 'logCheckpoints'], ' of own'),
      ...rows(['put'], ['logCheckpoints'], ' of own'),
      // Which webhooks there are.
      ...rows(['get'], ['config'], ' of own'),
      ...rows(['get', 'query', ...UPDATE], ['signingKeys'], ' of own'),
      'write provenAt of an own key of own',
      'decrypt log of own',
      'sign with held log key of own',
      'read public half of held log key of own',
      'anchor a checkpoint of own',
      'read an anchored checkpoint of own',
    ],
    elsewhere: ['SendMessage checkpoint-dlq', ...LAMBDA, 'attach to a network'],
  },
  // Of "deliver to sinks" the half that speaks to the internet: it neither appends nor signs, but may have webhooks' requests signed.
  deliver: {
    itself: [
      ...ofBoth("open deliver's session", ...rows(['get', 'batch get'], ['config'])),
      ...rows(['query'], ['tenantList']),
      'invoke checkpoint:webhook',
      'SendMessage deliver-dlq',
      ...LAMBDA,
    ],
    forTenant: [
      ...rows(['get', 'query'], ['log', 'logHead', 'logCheckpoints', 'sinks', 'deadLetters', 'sinkErrands'], ' of own'),
      ...rows(UPDATE, ['sinks', 'sinkErrands'], ' of own'),
      ...rows(['put', 'delete'], ['deadLetters'], ' of own'),
      ...rows(['delete'], ['sinkErrands'], ' of own'),
      "read a sink's secret of own",
    ],
    elsewhere: ['SendMessage deliver-dlq', ...LAMBDA],
  },
  // What is to be gone goes by it alone: of a log what it says, of a removed tenant its keys. Commitments, tiles and checkpoints
  // nobody deletes, and it writes nothing but that something has expired.
  erase: {
    itself: [
      ...ofBoth("open erase's session", ...rows(['get', 'batch get'], ['config'])),
      ...rows(['query'], ['tenantList']),
      ...rows(['get'], ['clockMark']),
      ...rows(UPDATE, ['logList']),
      'SendMessage erase-dlq',
    ],
    forTenant: [
      ...rows(
        ['get', 'batch get', 'query'],
        ['log', 'logHead', 'logDenials', 'logCheckpoints', 'logExpired', 'sinks', 'deadLetters', 'sinkErrands'],
        ' of own',
      ),
      ...rows(['put'], ['logExpired'], ' of own'),
      ...rows(['delete'], ['log', 'logDenials', 'deadLetters', 'sinkErrands'], ' of own'),
      ...rows(['get', 'query', 'delete'], ['signingKeys', 'feedSecret'], ' of own'),
    ],
    elsewhere: ['SendMessage erase-dlq', ...LAMBDA, 'attach to a network'],
  },
  // "serve signed and public documents"; "touch private keys" it may not.
  discovery: {
    itself: [...ofBoth("open discovery's session"), 'invoke feed:page'],
    forTenant: rows(['get', 'query'], ['config', 'signingKeys', 'publicLog', 'logCheckpoints'], ' of own'),
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
  // "move each tenant's keys prepared → active → retiring → retired"; it never sees a private half.
  rotate: {
    itself: [
      ...ofBoth("open rotate's session", 'batch get config'),
      ...rows(['query'], ['tenantList']),
      ...rows(['get'], ['clockMark']),
      'invoke mint:activate',
      'invoke feed:activate',
      'invoke checkpoint:activate',
      'SendMessage rotate-dlq',
    ],
    forTenant: [
      ...rows(['put', ...UPDATE, 'get', 'query'], ['signingKeys'], ' of own'),
      ...['provenAt', 'state', 'use', 'publicJwk'].map((name) => `write ${name} of an own key of own`),
      ...rows(['get', 'query'], ['config'], ' of own'),
      'make unseen token pair of own',
      'make unseen signal pair of own',
      'make unseen log pair of own',
      'make held key of own',
      'tag new key of own',
      'read public half of held key of own',
      'read public half of held signal key of own',
      'read public half of held log key of own',
    ],
    elsewhere: ['SendMessage rotate-dlq', ...LAMBDA, 'attach to a network'],
  },
  // The one that calls addresses of tenants: it has no key, and of secrets what is shown at a receiver.
  push: {
    itself: [
      ...ofBoth("open push's session"),
      ...rows(['query'], ['tenantList']),
      'invoke feed:sets',
      ...poll('push'),
      'SendMessage push',
      'SendMessage push-dlq',
      ...LAMBDA,
    ],
    forTenant: [
      ...rows(['get', 'batch get', 'query'], ['config', 'revocations', 'revocationChanges', 'receivers'], ' of own'),
      ...rows(UPDATE, ['receivers'], ' of own'),
      'read what is shown at a receiver of own',
    ],
    elsewhere: [...poll('push'), 'SendMessage push', 'SendMessage push-dlq', ...LAMBDA],
  },
  // RFC 8936: it moves receivers, and can say nothing that feed did not sign.
  poll: {
    itself: [...ofBoth("open poll's session"), 'invoke feed:sets', 'SendMessage denials'],
    forTenant: [
      ...rows(
        ['get', 'batch get', 'query'],
        [
          'config',
          'grants',
          'decisions',
          'revocations',
          'revocationVersion',
          'revocationChanges',
          'receivers',
          'signingKeys',
        ],
        ' of own',
      ),
      ...rows(UPDATE, ['receivers'], ' of own'),
      ...rows(['put', 'get'], ['callerProofs'], ' of own'),
    ],
    elsewhere: [...LAMBDA, 'attach to a network'],
  },
}

/** Roles of people and of services, which no function has: what they may by themselves. */
export const OTHERS: Readonly<Record<string, readonly string[]>> = {
  // The only writer of configuration; of keys it can only take away what a backup brought back.
  apply: [
    ...ofBoth(...rows(['get', 'batch get', 'query', 'put', ...UPDATE], ['config'])),
    ...rows(['get', 'batch get', 'query', 'put', ...UPDATE], ['tenantList']),
    ...ofBoth('query revocationChanges', ...rows(['query'], ['signingKeys']), 'delete signingKeys'),
    'SendMessage revoke',
  ],
  operator: [
    ...ofBoth(
      ...rows(
        ['get', 'batch get', 'query'],
        [
          'config',
          'grants',
          'decisions',
          'revocations',
          'revocationVersion',
          'revocationChanges',
          'appliedOrders',
          'lookUps',
        ],
      ),
      'read when keys moved',
      ...rows(
        ['get', 'batch get', 'query'],
        ['log', 'logHead', 'logUids', 'logDenials', 'publicLog', 'logCheckpoints', 'logExpired'],
      ),
      ...rows(UPDATE, ['revocations', 'revocationVersion', 'revocationChanges']),
      'list anchored checkpoints',
      'read an anchored checkpoint',
    ),
    ...rows(['get', 'batch get', 'query'], ['tenantList']),
    'SendMessage revoke',
  ],
  // Makes bounded roles of tenants, closes them, and can use none.
  provisioner: ofBoth(
    'make role, bounded,',
    'bound role',
    'rewrite trust of role',
    'delete role',
    'read role',
    'tag role as it is',
    'attach what denies all to role',
    'count policies of role',
  ),
  archive: ['ExportTableToPointInTime on mintmark-log', 'PutObject in the archive', 'SendMessage archive-dlq'],
}
