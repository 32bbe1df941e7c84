// How soon a pushed receiver on AWS knows: from the answer to a holder who ends its token to the receiver's own answer, over orders that
// are given a few at a time. Printed, never asserted; what is asserted is that each is told. Run by lambda-e2e.test.ts on its
// deployment.
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { Deployed } from '../support/aws/deployed.ts'
import { TARGET } from '../support/tenants.ts'
import { callsOf } from './deployed-calls.ts'
import { edges } from './receiver-suite.ts'

const ORDERS = 100
const AT_ONCE = 4

export const pushLatencySuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { revokeToken, takeAsTheyCome, lyingIn } = callsOf(deployed)
  /** When the receiver first answered for a credential. */
  const answeredAt = (): ReadonlyMap<string, number> => {
    const told = edges.got.map(({ set, atMs }) => {
      const subject = decodeJwt(set)['sub_id'] as { readonly jti?: string }
      return [subject.jti ?? '', atMs] as const
    })
    return new Map(told.toReversed())
  }

  test(`of ${ORDERS} orders each is told to the receiver; how soon is printed`, { timeout: 600_000 }, async () => {
    const tokens: { readonly jti: string; readonly token: string }[] = []
    while (tokens.length < ORDERS) {
      const { body } = await deployed().exchange('acme', evidence('acme'), { audience: TARGET })
      if (body['access_token'] !== undefined) tokens.push({ jti: body['decision_id']!, token: body['access_token'] })
    }
    const accepted = new Map<string, number>()
    const left = [...tokens]
    const give = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const { statusCode } = await revokeToken('acme', next.token, next.token)
        accepted.set(next.jti, performance.now())
        expect(statusCode).toBe(200)
      }
    }
    const stop = takeAsTheyCome()
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, give))
      const missing = () => [...accepted.keys()].filter((jti) => !answeredAt().has(jti))
      await expect.poll(missing, { timeout: 120_000 }).toEqual([])
    } finally {
      await stop()
    }
    expect([...lyingIn('revoke-dlq'), ...lyingIn('push-dlq')]).toEqual([])
    const answered = answeredAt()
    const waits = [...accepted].map(([jti, atMs]) => answered.get(jti)! - atMs).sort((a, b) => a - b)
    const at = (share: number) => `${Math.round(waits[Math.ceil(share * waits.length) - 1]!)} ms`
    console.log(
      `a pushed receiver, from the order's acceptance to its answer, ${ORDERS} orders, ${AT_ONCE} at a time: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`,
    )
  })
}
