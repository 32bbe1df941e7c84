// Every expected way to say no, in one table. Private: a kind and its detail go to the decision record only; what the
// caller sees is a constant chosen by `answer` in lib/wire/oauth-error.ts. Pure.

/** What a caller may learn of a refusal; the one mapper turns it into status, OAuth code and constant description. */
export type Answer =
  | 'request' // the request itself is malformed: invalid_request
  | 'evidence' // the evidence was not accepted: invalid_request (8693) or invalid_grant (7523), always the same text
  | 'target' // invalid_target
  | 'scope' // invalid_scope
  | 'grant_type' // unsupported_grant_type
  | 'dpop' // invalid_dpop_proof
  | 'caller' // 401 invalid_token: whoever calls one of our own endpoints (RFC 6750 §3.1)
  | 'rights' // 403 insufficient_scope
  | 'limit' // 429
  | 'unavailable' // 503: not the caller's fault

type Kind = { readonly answer: Answer; readonly says: string }

/** kind -> what the caller learns, and what the operator reads. docs/reference/errors.md is generated from it. */
export const REFUSALS = {
  // shape of the compact token (issuers.md §0.1-0.3)
  token_too_large: { answer: 'evidence', says: 'the token is longer than the limit' },
  token_not_compact: { answer: 'evidence', says: 'not three base64url parts joined by two dots' },
  base64url_not_canonical: { answer: 'evidence', says: 'a part is not canonical unpadded base64url' },
  utf8_invalid: { answer: 'evidence', says: 'header or payload is not strict UTF-8' },
  json_invalid: {
    answer: 'evidence',
    says: 'header or payload is not strict JSON (grammar, BOM, NUL, lone surrogate)',
  },
  json_duplicate_member: { answer: 'evidence', says: 'an object names a member twice' },
  json_forbidden_member: { answer: 'evidence', says: 'a member is named __proto__' },
  json_too_deep: { answer: 'evidence', says: 'JSON is nested deeper than the limit' },
  json_too_many_members: { answer: 'evidence', says: 'JSON has more members or elements than the limit' },
  json_string_too_long: { answer: 'evidence', says: 'a JSON string is longer than the limit' },
  json_not_object: { answer: 'evidence', says: 'header or payload is not a JSON object' },
  header_too_large: { answer: 'evidence', says: 'the JOSE header is longer than the limit' },
  header_member_forbidden: { answer: 'evidence', says: 'the JOSE header has a member outside the allow-list' },
  header_member_invalid: { answer: 'evidence', says: 'a JOSE header member has the wrong type or size' },
  typ_not_accepted: { answer: 'evidence', says: 'the typ is not one this issuer signs' },
  alg_not_allowed: { answer: 'evidence', says: 'the algorithm is not one registered for this issuer' },
  // issuer, key and signature
  issuer_missing: { answer: 'evidence', says: 'iss is missing or not a string' },
  issuer_unknown: { answer: 'evidence', says: 'iss is not registered in this tenant' },
  issuer_is_own: { answer: 'evidence', says: 'our own token was presented as evidence' },
  kid_missing: { answer: 'evidence', says: 'the header has no kid' },
  key_unknown: { answer: 'evidence', says: 'no usable key with this kid in the issuer key set' },
  key_unusable: { answer: 'evidence', says: 'the key found may not verify this algorithm' },
  signature_invalid: { answer: 'evidence', says: 'the signature does not verify' },
  // claims every issuer must carry
  subject_invalid: { answer: 'evidence', says: 'sub is missing, empty or not a string' },
  jti_invalid: { answer: 'evidence', says: 'jti is present but not a non-empty string within the limit' },
  audience_invalid: { answer: 'evidence', says: 'aud is not one string or an array of one string' },
  audience_mismatch: { answer: 'evidence', says: 'aud is not the audience registered for this issuer' },
  time_invalid: { answer: 'evidence', says: 'a time claim is missing or not an integer in range' },
  expired: { answer: 'evidence', says: 'exp has passed' },
  not_yet_valid: { answer: 'evidence', says: 'nbf or iat is in the future' },
  times_inverted: { answer: 'evidence', says: 'exp is not after iat' },
  too_old: { answer: 'evidence', says: 'iat is older than the maximum age of this issuer' },
  lifetime_too_long: { answer: 'evidence', says: 'exp - iat is longer than this issuer may sign' },
  tenancy_missing: { answer: 'evidence', says: 'the tenancy claim of a shared issuer is missing' },
  tenancy_mismatch: { answer: 'evidence', says: 'the tenancy claim names another customer' },
  claim_invalid: { answer: 'evidence', says: 'a claim this provider needs is missing or has the wrong type or form' },
  // replay, revocation, proof of possession
  replayed: { answer: 'evidence', says: 'this evidence was redeemed before' },
  revoked: { answer: 'evidence', says: 'a revocation covers this evidence or what it speaks for' },
  issued_before_floor: { answer: 'evidence', says: 'iat is below the floor set by recovery' },
  idempotency_mismatch: { answer: 'evidence', says: 'the same evidence came with another request or another key' },
  proof_required: { answer: 'evidence', says: 'this issuer needs a DPoP proof and there is none' },
  proof_mismatch: { answer: 'evidence', says: 'the DPoP key is not the one the evidence commits to' },
  dpop_invalid: { answer: 'dpop', says: 'the DPoP proof is malformed, stale, for another request or replayed' },
  // security events (RFC 8935); answered by lib/wire/set-error.ts
  event_invalid: { answer: 'evidence', says: 'the SET is not exactly one event about one subject, or has sub or exp' },
  event_unselectable: {
    answer: 'evidence',
    says: 'what the event names cannot be a value of the kind it is mapped to',
  },
  event_jti_reused: { answer: 'evidence', says: 'another SET was received under the same jti' },
  transmitter_unauthenticated: { answer: 'evidence', says: 'Authorization is missing or not the secret of the source' },
  // decision
  no_grant_matches: { answer: 'target', says: 'no grant matches this workload' },
  grant_not_found: { answer: 'target', says: 'the grant named does not exist or does not match' },
  target_unknown: { answer: 'target', says: 'no matching grant issues for this target' },
  target_ambiguous: {
    answer: 'target',
    says: 'more than one grant, or more than one audience, could serve this request',
  },
  target_not_single: { answer: 'target', says: 'more than one target was asked for' },
  identity_invalid: { answer: 'target', says: 'the identity template has a null or unusable segment' },
  cloud_refused: {
    answer: 'target',
    says: 'the cloud refused the session: see the trust policy of the role, its maximum duration and the identity provider',
  },
  cloud_trust_open: {
    answer: 'target',
    says: 'the role can be assumed without the external id of its tenant: anybody could have it assumed by the broker',
  },
  scope_exceeds_grant: { answer: 'scope', says: 'scope asks for more than the grant issues' },
  scope_invalid: { answer: 'scope', says: 'scope is not a list of scope tokens' },
  // request
  request_malformed: { answer: 'request', says: 'the form is malformed, or a parameter is missing or repeated' },
  idempotency_key_invalid: {
    answer: 'request',
    says: 'the Idempotency-Key is malformed or is a value of the evidence',
  },
  parameter_unsupported: { answer: 'request', says: 'a parameter or token type that is not offered' },
  grant_type_unsupported: { answer: 'grant_type', says: 'this grant_type is not offered' },
  // callers of introspection, revocation and administration (design §5)
  caller_missing: { answer: 'caller', says: 'the call carries no bearer token' },
  caller_invalid: { answer: 'caller', says: 'the bearer token of the caller is not a live token of this tenant' },
  caller_rights: { answer: 'rights', says: 'the token of the caller does not have the scope this call needs' },
  record_unknown: { answer: 'caller', says: 'the token has our signature, but no record of it says the same' },
  // limits
  rate_limited_source: { answer: 'limit', says: 'the source address is over its limit' },
  rate_limited_issuer: { answer: 'limit', says: 'the source is over its limit for this issuer' },
  rate_limited_subject: { answer: 'limit', says: 'the verified workload is over its limit' },
  rate_limited_tenant: { answer: 'limit', says: 'the tenant is over its limit' },
  // our side
  overloaded: { answer: 'unavailable', says: 'too many requests wait' },
  store_unavailable: { answer: 'unavailable', says: 'the record store did not answer' },
  issuer_keys_unavailable: {
    answer: 'unavailable',
    says: 'the issuer key set could not be fetched and none is cached',
  },
  signing_key_unavailable: { answer: 'unavailable', says: 'no active signing key could be used' },
  mint_unavailable: { answer: 'unavailable', says: 'mint did not answer, or not as agreed' },
  cloud_unavailable: { answer: 'unavailable', says: 'the token service of the cloud did not answer, or not clearly' },
  secret_unavailable: { answer: 'unavailable', says: 'a secret the tenant document names could not be read' },
  clock_untrusted: { answer: 'unavailable', says: 'the clock went back or parted from monotonic time' },
  changed_underway: { answer: 'unavailable', says: 'configuration or key state moved while the request was served' },
} as const satisfies Record<string, Kind>

export type RefusalKind = keyof typeof REFUSALS

/** Facts for the operator: names, times, lengths, normalized leaves. Never a token, never raw evidence. */
export type RefusalDetail = Readonly<Record<string, string | number | boolean | null>>

export type Refusal = { readonly kind: RefusalKind; readonly detail?: RefusalDetail }

/** What a Result is where there is no value. */
export type Refused = { readonly ok: false; readonly refusal: Refusal }

export const refuse = (kind: RefusalKind, detail?: RefusalDetail): Refused => ({
  ok: false,
  refusal: detail === undefined ? { kind } : { kind, detail },
})

/** What only a verified signature can bring about: the rates of a tenant and of a workload. Of thousands none says more than the first. */
export const isOfVerifiedRate = ({ kind }: Refusal): boolean =>
  kind === 'rate_limited_tenant' || kind === 'rate_limited_subject'

/** What says only that too much came: such a refusal loses nothing by being late. */
export const isOfLoad = (refusal: Refusal): boolean => isOfVerifiedRate(refusal) || refusal.kind === 'overloaded'
