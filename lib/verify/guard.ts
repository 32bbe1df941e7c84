// From a request's Authorization header to a verdict a server can answer with (RFC 6750 §3), for any framework: examples/verify.
import type { VerifiedToken, Verifier } from './verifier.ts'

export type Guarded =
  | { readonly ok: true; readonly token: VerifiedToken }
  | {
      readonly ok: false
      /** 503: the view of revocations is too old to let anybody in, which is nobody's fault who calls. */
      readonly status: 401 | 403 | 503
      /** For the answer: WWW-Authenticate, or Retry-After. */
      readonly headers: Readonly<Record<string, string>>
    }

export type Guard = (authorization: string | null | undefined) => Promise<Guarded>

const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i
const RETRY_AFTER_SECONDS = '2'

/** `scope`: all of it must be in the token. */
export const createGuard =
  (verifier: Verifier, scope: readonly string[] = []): Guard =>
  async (authorization) => {
    if (!authorization) return refused(401, 'Bearer')
    const raw = BEARER.exec(authorization)?.[1]
    const verdict = raw === undefined ? null : await verifier.verify(raw)
    if (verdict?.ok === false && verdict.reason === 'view_stale')
      return { ok: false, status: 503, headers: { 'retry-after': RETRY_AFTER_SECONDS } }
    if (verdict?.ok !== true) return refused(401, 'Bearer error="invalid_token"')
    const { token } = verdict
    return scope.every((wanted) => token.scope.includes(wanted))
      ? { ok: true, token }
      : refused(403, `Bearer error="insufficient_scope", scope="${scope.join(' ')}"`)
  }

const refused = (status: 401 | 403, challenge: string): Guarded => ({
  ok: false,
  status,
  headers: { 'www-authenticate': challenge },
})
