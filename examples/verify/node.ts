// Node: an Express (or Connect) middleware and a Fastify hook, typed by what they use of either.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from '../../lib/verify/guard.ts'
import type { VerifiedToken } from '../../lib/verify/verifier.ts'

/** `app.use(expressGuard(guard))`; behind it `request.token` is who calls. */
export const expressGuard =
  (guard: Guard) =>
  (
    request: IncomingMessage & { token?: VerifiedToken },
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    guard(request.headers.authorization).then((judged) => {
      if (!judged.ok) {
        response.writeHead(judged.status, judged.headers).end()
        return
      }
      request.token = judged.token
      next()
    }, next)
  }

type Reply = { code(status: number): Reply; headers(headers: Readonly<Record<string, string>>): Reply; send(): unknown }

/** `fastify.addHook('onRequest', fastifyGuard(guard))` */
export const fastifyGuard =
  (guard: Guard) =>
  async (
    request: { readonly headers: { readonly authorization?: string | undefined }; token?: VerifiedToken },
    reply: Reply,
  ): Promise<unknown> => {
    const judged = await guard(request.headers.authorization)
    if (!judged.ok) return reply.code(judged.status).headers(judged.headers).send()
    request.token = judged.token
    return undefined
  }
