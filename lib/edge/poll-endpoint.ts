// POST /t/{tenant}/receivers/{name}/poll (RFC 8936): HTTP in, HTTP out. Nothing is decided here.
import type { Call, CallAnswer } from '../domain/call.ts'
import { ENTRY_NAME, TENANT_NAME, whole } from '../domain/names.ts'
import { readPoll } from '../wire/poll-request.ts'
import { callOf, callResponse } from './call-response.ts'
import { isJson, isTooLarge, notJson, onlyPost, tooLarge } from './form-request.ts'
import { type HttpHandler, jsonResponse, notFound, tenantOfPath } from './http.ts'

type Polled =
  | { readonly kind: 'not_found' }
  | { readonly kind: 'sets'; readonly sets: Readonly<Record<string, string>>; readonly moreAvailable: boolean }

export type PollEndpointOptions = {
  readonly poll: (
    call: Call & { readonly receiver: string },
    asked: ReturnType<typeof readPoll>,
  ) => Promise<CallAnswer<Polled>>
  readonly newTraceId: () => string
}

const PATH = whole(`/t/${TENANT_NAME}/receivers/(${ENTRY_NAME})/poll`)

export const pollEndpoint =
  ({ poll, newTraceId }: PollEndpointOptions): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    const receiver = PATH.exec(event.rawPath)?.[1]
    if (tenant === null || receiver === undefined) return notFound()
    if (event.requestContext.http.method !== 'POST') return onlyPost()
    if (!isJson(event)) return notJson()
    const { body: text = '', isBase64Encoded } = event
    const body = isBase64Encoded ? Buffer.from(text, 'base64').toString('utf8') : text
    if (isTooLarge(event, body.length)) return tooLarge()
    const answer = await poll({ ...callOf(event, tenant, newTraceId), receiver }, readPoll(body))
    return callResponse(answer, `receive:${receiver}`, (polled) =>
      polled.kind === 'not_found'
        ? notFound()
        : jsonResponse(200, { sets: polled.sets, moreAvailable: polled.moreAvailable }),
    )
  }
