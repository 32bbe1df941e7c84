// What is asked for, after parsing and before judgement (RFC 8693 §2.1, RFC 7523 §2.1). Pure.
export type GrantType = 'token-exchange' | 'jwt-bearer'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const TYPE_ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const TYPE_AWS_CREDENTIALS = 'urn:mintmark:token-type:aws-credentials'
export const TYPE_JWT = 'urn:ietf:params:oauth:token-type:jwt'
export const TYPE_ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

/** What can be asked for, by the name that documents, records and metrics have for it. */
export type CredentialType = 'access_token' | 'aws-credentials'

/** The target as the caller wrote it. Judged only after the evidence, so that nobody learns of grants without evidence. */
export type RequestedTarget = {
  /** requested_token_type; null: the default, an access token. */
  readonly type: string | null
  /** Values of `audience` and `resource`, without repeats. One token has exactly one. */
  readonly audiences: readonly string[]
  readonly scope: string | null
  readonly grant: string | null
}

export type TokenRequest = {
  readonly grantType: GrantType
  readonly evidence: string
  readonly target: RequestedTarget
  readonly idempotencyKey: string | null
}

/** The same request always has the same text, whatever the order of its parameters: what an idempotent repeat must equal. */
export const canonicalRequest = (tenant: string, grantType: GrantType, target: RequestedTarget): string =>
  JSON.stringify([
    tenant,
    grantType,
    target.type ?? TYPE_ACCESS_TOKEN,
    [...target.audiences].sort(),
    target.scope === null ? null : target.scope.split(' ').sort(),
    target.grant,
  ])
