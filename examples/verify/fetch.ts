// Fetch API: Deno, Bun, Cloudflare Workers, and whatever hands you a Request. Hono: `app.use((c, next) => …)` with c.req.raw.
import type { Guard } from '../../lib/verify/guard.ts'
import type { VerifiedToken } from '../../lib/verify/verifier.ts'

export const guarded =
  (guard: Guard, handle: (request: Request, token: VerifiedToken) => Response | Promise<Response>) =>
  async (request: Request): Promise<Response> => {
    const judged = await guard(request.headers.get('authorization'))
    return judged.ok
      ? handle(request, judged.token)
      : new Response(null, { status: judged.status, headers: judged.headers })
  }

/** A Hono middleware, typed by what it uses of Hono. */
export const honoGuard =
  (guard: Guard) =>
  async (
    c: { readonly req: { readonly raw: Request }; set(name: 'token', token: VerifiedToken): void },
    next: () => Promise<void>,
  ): Promise<Response | undefined> => {
    const judged = await guard(c.req.raw.headers.get('authorization'))
    if (!judged.ok) return new Response(null, { status: judged.status, headers: judged.headers })
    c.set('token', judged.token)
    await next()
    return undefined
  }
