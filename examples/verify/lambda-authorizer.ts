// An authorizer of an API Gateway HTTP API (payload 2.0, simple responses). Make the verifier outside of the handler, so that warm
// invocations have its view, and set the authorizer's result TTL to 0: API Gateway's cache knows of no revocation.
import type { Guard } from '../../lib/verify/guard.ts'

type AuthorizerEvent = { readonly headers?: Readonly<Record<string, string | undefined>> }
type Authorized = { readonly isAuthorized: boolean; readonly context?: Readonly<Record<string, string>> }

export const createAuthorizer =
  (guard: Guard) =>
  async ({ headers }: AuthorizerEvent): Promise<Authorized> => {
    const judged = await guard(headers?.['authorization'])
    if (!judged.ok) return { isAuthorized: false }
    const { subject, scope, jti } = judged.token
    return { isAuthorized: true, context: { subject, scope: scope.join(' '), jti } }
  }
