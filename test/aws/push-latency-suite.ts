// How soon a pushed receiver on AWS is told: from the acceptance of an order to the receiver's own answer, orders a few at a time.
// Printed, never asserted; what is asserted is that each is told, by wakes, or where one was lost by the minute. One process is every function, the emulator and the
// receiver here, so what it prints is far more than AWS would take. Run by lambda-e2e.test.ts on its deployment.
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { callsOf } from './deployed-calls.ts'

const TENANT = 'globex'
const ISSUER = `https://sts.example.com/t/${TENANT}`
const URL_OF_RECEIVER = 'https://prompt.example/sets'
const ORDERS = 100
const AT_ONCE = 4

/** Of a tenant without roles in the cloud: a credential that nobody has is denied on each of those. */
export const PROMPT = {
  host: new URL(URL_OF_RECEIVER).host,
  receivers: `
receivers:
  prompt: { type: webhook, url: ${URL_OF_RECEIVER} }
`,
  grants: `
  operator:
    from: github
    match: { project.id: "7654321", environment.name: operator }
    identity: /ops/{project.id}/operator
    issue: [{ type: access_token, audience: ["${ISSUER}"], scope: [admin], ttl: 10m }]
`,
}

/** Answers at once, and notes when it was first told of a credential. */
export const promptReceiver = (() => {
  const toldAtMs = new Map<string, number>()
  let sets = 0
  const post: OutboundHttp['post'] = async (_url, { text }) => {
    const { jti = '' } = decodeJwt(String(text))['sub_id'] as { readonly jti?: string }
    sets += 1
    if (!toldAtMs.has(jti)) toldAtMs.set(jti, performance.now())
    return { ok: true, response: { status: 202, body: new Uint8Array() } }
  }
  return { toldAtMs, post, sets: () => sets }
})()

export const pushLatencySuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { admin, takeAsTheyCome, lyingIn } = callsOf(deployed)
  const { toldAtMs, sets } = promptReceiver

  test(`of ${ORDERS} orders each is told to the receiver; how soon is printed`, async () => {
    const claims = evidence(TENANT, { environment: 'operator' })
    const { body } = await deployed().exchange(TENANT, claims, { audience: ISSUER })
    const bearer = body['access_token']!
    const waitsMs: number[] = []
    /** The next one once the one before is told: the orders under way stay a few, however slow the machine. */
    const give = async (count: number) => {
      for (let given = 0; given < count; given += 1) {
        const json = { kind: 'credential', value: randomUUID(), reason: 'leaked' }
        expect((await admin('POST', 'revocations', { bearer, json }, TENANT)).statusCode).toBe(202)
        const acceptedMs = performance.now()
        await expect.poll(() => toldAtMs.has(json.value), { interval: 20 }).toBe(true)
        waitsMs.push(toldAtMs.get(json.value)! - acceptedMs)
      }
    }
    const { batches, stop } = takeAsTheyCome()
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, () => give(ORDERS / AT_ONCE)))
    } finally {
      await stop()
    }
    expect([toldAtMs.size, waitsMs.length]).toEqual([ORDERS, ORDERS])
    expect([...lyingIn('revoke-dlq'), ...lyingIn('push-dlq')]).toEqual([])
    waitsMs.sort((a, b) => a - b)
    const at = (share: number) => `${Math.round(waitsMs[Math.ceil(share * waitsMs.length) - 1]!)} ms`
    console.log(
      `a pushed receiver, from the acceptance of an order to its answer, ${ORDERS} orders, ${AT_ONCE} at a time: ` +
        `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}; ${sets()} SETs, ` +
        `${batches.revoke} batches of orders, ${batches.push} of wakes`,
    )
  })
}
