// One entry of every kind the audit stream takes, with fixed ids and times: input of the samples in events/audit.
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import type { ControlChange } from '../../lib/domain/control-change.ts'
import { NOW_SECONDS, sampleDenial, sampleOrder, sampleRecord } from '../contract/sample-rows.ts'

const ID = '0198c0de-0000-7000-8000-000000000001'
const OTHER = '0198c0de-0000-7000-8000-000000000002'
export const SAMPLE_PLACE = { issuerUrl: 'https://sts.example.com/t/acme' }

const change = (what: Partial<ControlChange> & Pick<ControlChange, 'what'>): AuditEntry => ({
  kind: 'change',
  change: { id: OTHER, tenant: 'acme', atSeconds: NOW_SECONDS, ...what } as ControlChange,
})

const record = sampleRecord({ decisionId: ID })
export const SAMPLE_RECORD = record

export const SAMPLE_ENTRIES: Readonly<Record<string, AuditEntry>> = {
  grant: { kind: 'grant', record },
  'grant-aws-credentials': {
    kind: 'grant',
    record: {
      ...record,
      credential: {
        ...record.credential,
        type: 'aws-credentials',
        scope: '',
        aud: 'https://sts.example.com/t/acme/aws/444455556666',
        session: {
          role: 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer',
          sourceIdentity: 'acme.0198c0de000070008000000000000001',
        },
      },
    },
  },
  'not-issued': {
    kind: 'not_issued',
    outcome: { decisionId: ID, tenant: 'acme', atSeconds: NOW_SECONDS + 1, refusal: { kind: 'revoked' } },
  },
  denial: { kind: 'denial', denial: sampleDenial({ decisionId: ID }) },
  'denial-replay': {
    kind: 'denial',
    denial: sampleDenial(
      {
        decisionId: OTHER,
        verified: true,
        issuerName: 'github',
        firstDecisionId: ID,
        wid: record.wid,
        verdicts: record.verdicts,
        evidence: {
          sub: record.evidence.sub,
          jti: record.evidence.jti,
          iat: record.evidence.iat,
          exp: record.evidence.exp,
          kid: record.evidence.kid,
          replayKey: record.evidence.replayKey,
        },
        target: {
          type: 'access_token',
          audience: 'https://deploy.acme.example',
          scope: 'deploy:read',
          grant: 'deploy-prod',
        },
      },
      'replayed',
    ),
  },
  'denial-forgery': { kind: 'denial', denial: sampleDenial({ decisionId: OTHER }, 'signature_invalid') },
  'roll-up': {
    kind: 'roll_up',
    rollUp: {
      id: OTHER,
      tenant: 'acme',
      minute: Math.floor(NOW_SECONDS / 60),
      kind: 'signature_invalid',
      source: '192.0.2.1',
      count: 1234,
      listed: [ID],
      unlisted: 1233,
    },
  },
  revocation: {
    kind: 'revocation',
    applied: {
      v: 1,
      order: sampleOrder({ id: ID }),
      by: 'uid:1000',
      revocations: [OTHER],
      atSeconds: NOW_SECONDS,
    },
  },
  'key-active': change({ what: 'key', kid: 'kid-1', alg: 'ES256', use: 'token', state: 'active' }),
  'key-tainted': change({ what: 'key', kid: 'kid-1', alg: 'ES256', use: 'token', state: 'tainted' }),
  config: change({
    what: 'config',
    version: 2,
    digest: 'u5CeyCYcMLSyyQOUf7KPgRrBN0kxvh1kv_8UMvXPMXs',
    author: 'someone',
    commit: '5f1a',
    diff: '+ grants.deploy-prod.match.ref.full: "refs/heads/main"\n- grants.old',
  }),
  removal: change({ what: 'removal', by: 'someone' }),
  erasure: change({ what: 'erasure', erased: 'kid-1' }),
  unblock: change({
    what: 'unblock',
    revocation: ID,
    kind: 'project',
    issuer: 'github',
    value: '7654321',
    by: 'someone',
    reason: 'runner rebuilt',
  }),
  'receiver-has': change({
    what: 'receiver',
    receiver: 'edge',
    seq: 7,
    jti: '7.GyBZ1MUsRD4hJSYv6nOfYd',
    problem: null,
    status: 202,
  }),
  'receiver-has-not': change({
    what: 'receiver',
    receiver: 'edge',
    seq: 7,
    jti: '7.GyBZ1MUsRD4hJSYv6nOfYd',
    problem: 'connect_failed',
    status: null,
  }),
  recovery: change({
    what: 'recovery',
    number: 1,
    by: 'ops',
    reason: 'restored from a backup',
    floor: NOW_SECONDS + 30,
  }),
  'key-order': change({ what: 'key_order', order: 'taint', kid: 'a-kid', by: 'ops', reason: 'found in a log' }),
  'look-up': change({ what: 'look_up', decisionId: ID, by: 'uid:1000' }),
}
