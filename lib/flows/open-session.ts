// The last step of mint for `aws-credentials` (design §3.3, P5): the record is durable and nothing revokes it; only now is the
// cloud asked for a session. The token that asks for it is signed here, lives a minute, opens one role and leaves in no answer.
import {
  credentialProcessDocument,
  externalIdOf,
  federationHeader,
  sessionNameOf,
  sessionTags,
  sourceIdentityOf,
  TRANSITIVE_TAGS,
} from '../domain/aws-session.ts'
import { ok, type Result } from '../domain/result.ts'
import type { AwsCredentialsEntry } from '../domain/tenant-config.ts'
import { TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { CloudSessions } from '../ports/cloud-sessions.ts'
import type { IssuedCredential } from '../ports/mint.ts'
import type { KeyRing } from '../ports/signing-keys.ts'
import type { Digest } from '../ports/system.ts'
import type { Intent } from './prepare-credential.ts'

export type SessionPorts = {
  readonly keys: KeyRing
  readonly digest: Digest
  readonly clock: Clock
  /** Absent where this broker issues no cloud sessions. */
  readonly cloudSessions?: CloudSessions
}

/** Refuses: cloud_refused, cloud_trust_open. Throws Unavailable('cloud_unavailable'); never falls back to another way or role. */
export const openSession = async (
  ports: SessionPorts,
  intent: Intent,
  entry: AwsCredentialsEntry,
): Promise<Result<IssuedCredential>> => {
  const opened = await askCloud(ports, intent, entry)
  if (!opened.ok) return opened
  return ok({
    accessToken: credentialProcessDocument(opened.value, entry.role),
    issuedTokenType: TYPE_AWS_CREDENTIALS,
    tokenType: 'N_A',
    expiresInSeconds: Math.max(0, opened.value.expiresAtSeconds - ports.clock.nowSeconds()),
    scope: intent.record.credential.scope,
  })
}

const askCloud = async ({ cloudSessions, keys, digest }: SessionPorts, intent: Intent, entry: AwsCredentialsEntry) => {
  const { key, payload, facts, attested } = intent
  const order = { role: entry.role, sessionName: sessionNameOf(facts.jti), durationSeconds: entry.ttlSeconds }
  if (entry.via === 'web-identity' && cloudSessions !== undefined)
    return cloudSessions.webIdentity.open({
      ...order,
      token: await keys.signCompact(key, federationHeader(key.kid), payload),
    })
  if (cloudSessions?.assumedRole == null) throw new Unavailable('changed_underway')
  const { issuerUrl, tenant } = attested.facts.config
  return cloudSessions.assumedRole.open({
    ...order,
    externalId: externalIdOf({ tenant, issuerUrl, role: entry.role }, (text) => digest.sha256(text)),
    sourceIdentity: sourceIdentityOf(tenant, facts.jti),
    tags: sessionTags(facts),
    transitiveTags: TRANSITIVE_TAGS,
  })
}
