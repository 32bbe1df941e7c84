// Callers whose token is bound to a key (RFC 9449 §7), on AWS: a proof is good once, for what it was made for. Run by
// lambda-e2e.test.ts on its deployment.
import { describe, expect, test } from 'vitest'
import type { HttpResponse } from '../../lib/edge/http.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { athOf, dpopProof, type Holder, newHolder } from '../support/dpop.ts'
import { until } from '../support/until.ts'
import { callsOf } from './deployed-calls.ts'

const ACME = 'https://sts.example.com/t/acme'

type Headers = { readonly authorization: string; readonly dpop: string }
type Ask = (headers: Record<string, string>) => Promise<HttpResponse>

export const boundCallerSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { introspect, admin, poll, carryOut, lyingIn } = callsOf(deployed)
  const boundTo = async (holder: Holder, environment: string): Promise<string> => {
    const dpop = dpopProof(holder, `${ACME}/token`)
    const { body } = await deployed().exchange('acme', evidence('acme', { environment }), { audience: ACME }, { dpop })
    expect(body['token_type']).toBe('DPoP')
    return body['access_token']!
  }
  const proven = (holder: Holder, token: string, path: string): Headers => ({
    authorization: `DPoP ${token}`,
    dpop: dpopProof(holder, `${ACME}/${path}`, { ath: athOf(token) }),
  })
  /** With new proofs until one is answered: of a first call the emulator's decision may come too late, and its proof is spent. */
  const answered = (ask: Ask, fresh: () => Headers): Promise<{ answer: HttpResponse; headers: Headers }> =>
    until(
      'an answer to a proof',
      async () => {
        const headers = fresh()
        return { answer: await ask(headers), headers }
      },
      ({ answer }) => answer.statusCode < 300,
    )

  describe('a token bound to a key', () => {
    const endpoints: readonly (readonly [grant: string, path: string, (token: string) => Ask])[] = [
      ['reader', 'introspect', (token) => (headers) => introspect('acme', token, headers)],
      [
        'operator',
        'admin/revocations',
        () => (headers) =>
          admin('POST', 'revocations', { headers, json: { kind: 'run', value: '1', reason: 'x', dry_run: true } }),
      ],
      ['puller', 'receivers/inner/poll', () => (headers) => poll('acme', 'inner', { headers, json: {} })],
    ]
    test.each(endpoints)(
      'of %s is a caller of %s with a proof of it, once; not as Bearer, nor by a thief',
      async (grant, path, asking) => {
        const holder = await newHolder()
        const token = await boundTo(holder, grant)
        const ask = asking(token)
        const { answer, headers } = await answered(ask, () => proven(holder, token, path))
        expect(answer.statusCode).toBe(200)
        const statuses = []
        for (const sent of [
          headers,
          { authorization: `Bearer ${token}` },
          { ...proven(holder, token, path), authorization: `Bearer ${token}` },
          proven(await newHolder(), token, path),
          proven(holder, token, 'elsewhere'),
        ])
          statuses.push((await ask(sent)).statusCode)
        expect(statuses).toEqual([401, 401, 401, 401, 401])
        const refused = await ask({ authorization: `Bearer ${token}` })
        expect(refused.headers['www-authenticate']).toContain('DPoP algs="ES256 ')
      },
    )

    test('orders a block and lifts it: the order carries the proof, and revoke believes it', async () => {
      const holder = await newHolder()
      const token = await boundTo(holder, 'operator')
      const post = (path: string, json: object) =>
        answered(
          (headers) => admin('POST', path, { headers, json }),
          () => proven(holder, token, `admin/${path}`),
        )
      const inForce = async () => (await deployed().inForce('acme')).find(({ value }) => value === '737373')
      const { answer } = await post('revocations', { kind: 'run', value: '737373', reason: 'leaked' })
      expect(answer.statusCode).toBe(202)
      await carryOut()
      const blocked = await inForce()
      expect(blocked).toMatchObject({ kind: 'run', form: 'block' })
      expect((await post(`revocations/${blocked!.id}/unblock`, { reason: 'found' })).answer.statusCode).toBe(202)
      await carryOut()
      expect(await inForce()).toBeUndefined()
      expect(lyingIn('revoke-dlq')).toEqual([])
    })
  })
}
