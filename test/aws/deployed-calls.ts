// Calls of the deployed functions as somebody outside makes them, and the queues emptied as Lambda does it. The emulator's first
// decision of a kind comes later than a function waits: what was unavailable is asked for again.
import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { sqsClient } from '../../lib/adapters/aws/clients.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { HttpEvent, HttpHandler, HttpResponse } from '../../lib/edge/http.ts'
import { type BatchResponse, type QueueEvent, SCHEDULED } from '../../lib/wire/lambda-events.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { deliverBatch } from '../support/fauxqs-queues.ts'
import { until } from '../support/until.ts'

const LONG_POLL_SECONDS = 1
/** infra/schedules.ts. */
const SWEEP_MS = 60_000

/** A run of the clock that failed is an error of the function, and the next run does what it did not. */
export const whenAway = (error: unknown): void => {
  if (!(error instanceof Unavailable)) throw error
}

const patiently = (ask: () => Promise<HttpResponse>): Promise<HttpResponse> =>
  until('an answer that is not to come later', ask, ({ statusCode }) => statusCode !== 503)

/** Runs it until its work is done; what was away meanwhile, the next run does. */
export const runUntil = <T>(what: string, run: () => Promise<T>, isDone: (result: T) => boolean | Promise<boolean>) =>
  until(
    what,
    async () => {
      const result = await run().catch((error: unknown) => {
        whenAway(error)
        return error as Unavailable
      })
      return { isDone: !(result instanceof Unavailable) && (await isDone(result)), result }
    },
    (seen) => seen.isDone,
  )

type Sent = { readonly bearer?: string; readonly headers?: Record<string, string>; readonly query?: string }
type Body = { readonly form?: Record<string, string>; readonly json?: unknown; readonly text?: string }

export const callsOf = (deployed: () => Deployed) => {
  const send = (
    handler: (event: HttpEvent) => Promise<unknown>,
    method: string,
    rawPath: string,
    { bearer, headers = {}, query, form, json, text }: Sent & Body = {},
  ): Promise<HttpResponse> =>
    patiently(
      () =>
        handler({
          rawPath,
          ...(query === undefined ? {} : { rawQueryString: query }),
          headers: {
            ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
            ...(json === undefined ? {} : { 'content-type': 'application/json' }),
            ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
            ...headers,
          },
          requestContext: { http: { method, sourceIp: '203.0.113.7' } },
          body: text ?? (form === undefined ? JSON.stringify(json ?? {}) : new URLSearchParams(form).toString()),
        }) as ReturnType<HttpHandler>,
    )
  const urlOf = (queue: string) => `https://sqs.eu-west-1.amazonaws.com/111122223333/mintmark-prod-${queue}`
  /** What waits, and what was received and is still to be settled. */
  const countsOf = (queue: string) => {
    const { ready, inflight, delayed } = deployed().queues.server.inspectQueue(`mintmark-prod-${queue}`)!.messages
    return { ready: ready.length, inflight: inflight.length, delayed: delayed.length }
  }
  const empty = async (fn: 'revoke' | 'events', queue: string, handler: (event: QueueEvent) => Promise<unknown>) => {
    const client = sqsClient(deployed().placeOfService(fn))
    const root = sqsClient(deployed().aws.client(deployed().aws.rootCredentials) as never)
    await until(
      `the queue ${queue} is empty`,
      async () => {
        const delivered = await deliverBatch(client, urlOf(queue), handler as never, root)
        return { delivered, ...countsOf(queue) }
      },
      (counts) => Object.values(counts).every((count) => count === 0),
    )
  }
  return {
    introspect: (tenant: string, token: string, caller: string | Record<string, string>) => {
      const sent = typeof caller === 'string' ? { bearer: caller } : { headers: caller }
      return send(deployed().functions.introspect, 'POST', `/t/${tenant}/introspect`, { ...sent, form: { token } })
    },
    revokeToken: (tenant: string, token: string, bearer: string) =>
      send(deployed().functions.introspect, 'POST', `/t/${tenant}/revoke`, { bearer, form: { token } }),
    admin: (method: 'GET' | 'POST', path: string, sent: Sent & Body, tenant = 'acme') =>
      send(deployed().functions.admin, method, `/t/${tenant}/admin/${path}`, sent),
    push: (tenant: string, text: string, headers: Record<string, string>) =>
      send(deployed().functions.events, 'POST', `/t/${tenant}/events`, { text, headers }),
    poll: (tenant: string, name: string, sent: Sent & Body) =>
      send(deployed().functions.poll, 'POST', `/t/${tenant}/receivers/${name}/poll`, sent),
    /** What wakes push now; what is to wake it later stays where it is. */
    async pushWoken() {
      const client = sqsClient(deployed().placeOfService('push'))
      for (let idle = 0; idle < 2; )
        idle = (await deliverBatch(client, urlOf('push'), deployed().functions.push as never)) === 0 ? idle + 1 : 0
    },
    /**
     * Orders and wakes are taken as they come, by two pollers that never rest, and receivers are swept for by the minute, until all
     * is stopped. Lambda's pollers have its roles, and more patience than a function has.
     */
    takeAsTheyCome() {
      const stopping = new AbortController()
      const batches = { revoke: 0, push: 0 }
      const lane = async (fn: 'revoke' | 'push') => {
        const client = new SQSClient(deployed().placeOfService(fn))
        const root = new SQSClient(deployed().aws.client(deployed().aws.rootCredentials))
        const handler = deployed().functions[fn] as (event: QueueEvent) => Promise<BatchResponse>
        while (!stopping.signal.aborted)
          if ((await deliverBatch(client, urlOf(fn), handler, root, LONG_POLL_SECONDS)) > 0) batches[fn] += 1
      }
      const sweep = async () => {
        while (await sleep(SWEEP_MS, true, { signal: stopping.signal }).catch(() => false))
          await deployed().functions.push(SCHEDULED).catch(whenAway)
      }
      const ended = Promise.all([lane('revoke'), lane('push'), sweep()])
      return {
        batches,
        async stop() {
          stopping.abort()
          await ended
        },
      }
    },
    fetchFrom: (path: string, query = '') => send(deployed().functions.discovery, 'GET', path, { query }),
    /** Every order on the queue is carried out, or quarantined. */
    carryOut: () => empty('revoke', 'revoke', deployed().functions.revoke),
    /** A finding, as EventBridge puts it on the queue, taken by events. */
    async find(event: string) {
      const client = sqsClient(deployed().aws.client(deployed().aws.rootCredentials) as never)
      await client.send(new SendMessageCommand({ QueueUrl: urlOf('findings'), MessageBody: event }))
      await empty('events', 'findings', deployed().functions.events as never)
    },
    /** Bodies of what lies in a queue. */
    lyingIn: (queue: string): readonly string[] =>
      (deployed().queues.server.inspectQueue(`mintmark-prod-${queue}`)?.messages.ready ?? []).map(({ body }) => body),
  }
}
