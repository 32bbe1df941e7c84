import { expect, test } from 'vitest'
import type { HttpEvent } from '../../lib/edge/http.ts'
import { tracedEndpoint } from '../../lib/edge/traced-endpoint.ts'

const OURS = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const CALLERS = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const served = async (traceparent: string | undefined) => {
  const told: { traceparent?: string | undefined; handled?: string | undefined; ended?: unknown } = {}
  const handler = tracedEndpoint(
    {
      serve: (given, work) => {
        told.traceparent = given
        return work(OURS, (attributes) => {
          told.ended = attributes
        })
      },
    },
    async (event) => {
      told.handled = event.headers['traceparent']
      return { statusCode: 400, headers: {}, body: '' }
    },
  )
  const event: HttpEvent = {
    rawPath: '/t/acme/token',
    headers: { traceparent },
    requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' } },
  }
  await handler(event)
  return told
}

test("the caller's trace is gone on with, and the handler is told of the span and not of the caller's", async () => {
  const told = await served(CALLERS)
  expect(told.traceparent).toBe(CALLERS)
  expect(told.handled).toBe(OURS)
})

test.each([undefined, '', 'not-a-trace', CALLERS.toUpperCase()])(
  'a trace is begun where the header is %j',
  async (text) => {
    expect((await served(text)).traceparent).toBeUndefined()
  },
)

test('a span names the route and never the path: a tenant that is no tenant would be a name of its own', async () => {
  expect((await served(undefined)).ended).toEqual({
    'http.request.method': 'POST',
    'http.route': '/t/{tenant}/token',
    'http.response.status_code': 400,
  })
})
