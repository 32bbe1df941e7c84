// Tokens of ours that GitHub found in public code (secret scanning partner program). GitHub signs its message; what is revoked is
// decided by the token alone: only one that our own key signed names a credential, or anybody could have any credential revoked
// by publishing a text that looks like it.

import { isJsonObject, type JsonValue } from '../../domain/claims.ts'
import { type HeaderPolicy, isOfType, parseCompactJws, type UnverifiedJws } from '../../domain/compact-jws.ts'
import { rawSignature } from '../../domain/github-keys.ts'
import { parseStrictJson } from '../../domain/json.ts'
import { LIMITS } from '../../domain/limits.ts'
import { idFromHash } from '../../domain/recorded-event.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { OwnAlgorithm } from '../../domain/signing-key.ts'
import type { LeakSource, TenantConfig } from '../../domain/tenant-config.ts'
import type { IssuerKeys, SignatureVerifier, VerifyKey } from '../../ports/evidence.ts'
import type { SigningKeyStore } from '../../ports/signing-keys.ts'
import type { Digest } from '../../ports/system.ts'
import type { EventReport } from './take-event.ts'

export type LeakPorts = {
  readonly issuerKeys: Pick<IssuerKeys, 'find'>
  readonly signatures: SignatureVerifier
  readonly ownKeys: Pick<SigningKeyStore, 'list'>
  readonly importKey: (jwk: Readonly<Record<string, string>>) => VerifyKey
  readonly digest: Digest
}

/** As GitHub sends it: the signature in base64, over the body's bytes. */
export type PartnerMessage = { readonly body: Uint8Array; readonly keyId: string; readonly signature: string }

/**
 * The tokens in a message of GitHub. Refuses: transmitter_unauthenticated (also where the tenant takes no such messages), key_*,
 * json_*, event_invalid. Throws Unavailable.
 */
export const tokensReported = async (
  ports: LeakPorts,
  { events }: TenantConfig,
  { body, keyId, signature }: PartnerMessage,
): Promise<Result<{ readonly source: LeakSource; readonly tokens: readonly string[] }>> => {
  const source = events.find((candidate) => candidate.kind === 'leaks')
  const raw = rawSignature(signature)
  if (source?.kind !== 'leaks' || raw === null || keyId === '' || keyId.length > LIMITS.kidBytesMax)
    return refuse('transmitter_unauthenticated')
  const key = await ports.issuerKeys.find(source.keys, keyId, 'ES256')
  if (!key.ok) return key
  const text = latin1(body)
  if (!ports.signatures.verify('ES256', key.value, text, raw)) return refuse('transmitter_unauthenticated')
  const parsed = parseStrictJson(text, JSON_LIMITS)
  if (!parsed.ok) return parsed
  const tokens = Array.isArray(parsed.value) ? (parsed.value as readonly JsonValue[]).map(tokenIn) : [null]
  if (tokens.length === 0 || tokens.includes(null)) return refuse('event_invalid')
  return ok({ source, tokens: [...new Set(tokens as string[])] })
}

const JSON_LIMITS = {
  depthMax: LIMITS.jsonDepthMax,
  membersMax: LIMITS.fetchedJsonMembersMax,
  stringBytesMax: LIMITS.tokenBytesMax,
}

/** One character a byte: what verifies a signature takes text, and the tokens themselves are ASCII. */
const latin1 = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

const tokenIn = (entry: JsonValue): string | null => {
  const token = isJsonObject(entry) ? entry['token'] : null
  return typeof token === 'string' && token !== '' ? token : null
}

/** What one leaked token means: its credential, when it is ours and alive. */
export const reportOfLeak = async (
  ports: LeakPorts,
  config: TenantConfig,
  source: LeakSource,
  token: string,
  nowSeconds: number,
): Promise<EventReport> => {
  const own = await ownToken(ports, config, token)
  const contentHash = ports.digest.sha256(own?.jws.signingInput ?? token)
  return {
    id: idFromHash(ports.digest.sha256(JSON.stringify(['leak', config.tenant, own?.jti ?? contentHash]))),
    tenant: config.tenant,
    source: source.name,
    event: 'token_leaked',
    contentHash,
    meaning:
      own === null
        ? { kind: 'nothing' }
        : own.exp + LIMITS.leewaySeconds <= nowSeconds
          ? { kind: 'acknowledge', isStreamEnding: false }
          : { kind: 'revoke', revoke: 'credential', value: own.jti, form: 'block' },
    proof: { kind: 'leak', token },
  }
}

type OwnToken = { readonly jws: UnverifiedJws; readonly jti: string; readonly exp: number }

const OWN: Pick<HeaderPolicy, 'algorithms'> = { algorithms: ['ES256', 'RS256'] satisfies OwnAlgorithm[] }

/** A token that a key of the tenant signed, whatever has become of the key since; null: not ours. */
const ownToken = async (
  { ownKeys, signatures, importKey }: LeakPorts,
  { tenant, issuerUrl }: TenantConfig,
  token: string,
): Promise<OwnToken | null> => {
  const parsed = parseCompactJws(token)
  if (!parsed.ok || !isOfType(parsed.value.header, 'at+jwt')) return null
  const { header, claims, signingInput, signature } = parsed.value
  const { iss, jti, exp } = claims
  const alg = OWN.algorithms.find((ours) => ours === header.alg)
  if (iss !== issuerUrl || typeof jti !== 'string' || typeof exp !== 'number' || alg === undefined) return null
  const key = (await ownKeys.list(tenant)).find(({ kid, use }) => kid === header.kid && use === 'token')
  if (key === undefined || key.provenAtSeconds === null || key.alg !== alg) return null
  return signatures.verify(alg, importKey(key.publicJwk), signingInput, signature)
    ? { jws: parsed.value, jti, exp }
    : null
}
