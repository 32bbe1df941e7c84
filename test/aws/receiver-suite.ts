// Receivers of revocations on AWS: pushed to, polling, and gone; and replays that end what their evidence gave. Run by
// lambda-e2e.test.ts on its deployment.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import type { ReceiverState } from '../../lib/domain/receiver-state.ts'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { type Deployed, patientDynamo } from '../support/aws/deployed.ts'
import { TARGET } from '../support/tenants.ts'
import { callsOf } from './deployed-calls.ts'

const BASE = 'https://sts.example.com'
const EDGE = 'https://edge.example/sets'
const DOWN = 'https://down.example/sets'
export const EDGE_SECRET = 'Bearer of-the-edge'

export const RECEIVERS = `
receivers:
  edge: { type: webhook, url: ${EDGE}, authorization: { file: acme/edge } }
  down: { type: webhook, url: ${DOWN} }
  inner: { type: poll }
`

export const RECEIVER_GRANTS = `
  puller:
    from: github
    match: { project.id: "7654321", environment.name: puller }
    identity: /ops/{project.id}/puller
    issue: [{ type: access_token, audience: ["${BASE}/t/acme"], scope: ["receive:inner"], ttl: 10m }]
  once:
    from: github
    match: { project.id: "7654321", environment.name: once }
    identity: /ops/{project.id}/once
    issue: [{ type: access_token, audience: ["https://once.example"], scope: ["deploy:read"], ttl: 10m, on_replay: revoke }]
`

type Pushed = { readonly set: string; readonly authorization: string | undefined }

/** The one takes what it is sent, the other is never there. */
export const edges = (() => {
  const got: Pushed[] = []
  const post: OutboundHttp['post'] = async (url, { text, headers = {} }) => {
    if (url !== EDGE) return { ok: false, failure: { reason: 'status', status: 503, bytes: 0 } }
    got.push({ set: String(text), authorization: headers['authorization'] })
    return { ok: true, response: { status: 202, body: new Uint8Array() } }
  }
  return { got, post }
})()

export const receiverSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { admin, poll, carryOut, pushWoken, revokeToken, fetchFrom, lyingIn } = callsOf(deployed)
  const tokenOf = async (environment: string, audience = `${BASE}/t/acme`) => {
    const { status, body } = await deployed().exchange('acme', evidence('acme', { environment }), { audience })
    expect([status, body['error']]).toEqual([200, undefined])
    return { token: body['access_token']!, jti: body['decision_id']! }
  }
  /** A credential that is revoked for its holder; its id. */
  const revoked = async () => {
    const { token, jti } = await tokenOf('production', TARGET)
    expect((await revokeToken('acme', token, token)).statusCode).toBe(200)
    await carryOut()
    return jti
  }
  const signalKeys = async () => createLocalJWKSet(JSON.parse((await fetchFrom('/t/acme/signal-jwks.json')).body))
  const stateOf = async (name: string): Promise<ReceiverState> => {
    const { body } = await admin('GET', 'receivers', { bearer: (await tokenOf('operator')).token })
    return (JSON.parse(body).receivers as ReceiverState[]).find((receiver) => receiver.name === name)!
  }
  const subjects = (sets: readonly string[]) =>
    sets.map((set) => (decodeJwt(set)['sub_id'] as { jti?: string }).jti).filter((jti) => jti !== undefined)

  describe('a receiver that is pushed to', () => {
    test('is told of a revocation by a SET that feed signed, with the secret of the tenant, while another is down', async () => {
      const jti = await revoked()
      await pushWoken()
      const [last] = edges.got.filter(({ set }) => subjects([set]).includes(jti))
      expect(last).toMatchObject({ authorization: EDGE_SECRET })
      const { payload, protectedHeader } = await jwtVerify(last!.set, await signalKeys(), {
        issuer: `${BASE}/t/acme`,
        audience: EDGE,
        typ: 'secevent+jwt',
      })
      expect(protectedHeader.alg).toBe('RS256')
      expect(Object.keys(payload['events'] as object)[0]).toMatch(/session-revoked$/)
      // Each once, in the order of the changes, without a gap.
      const seqs = edges.got.map(({ set }) => Number(decodeJwt(set).jti?.split('.')[0]))
      expect(seqs).toEqual(seqs.map((_, at) => at + 1))
      expect(await stateOf('edge')).toMatchObject({ pending: 0, attempts: 0, last: { problem: null } })
      expect(await stateOf('down')).toMatchObject({ pending: seqs.length, last: { problem: 'status', status: 503 } })
      expect(lyingIn('push-dlq')).toEqual([])
    })

    test('is told by the clock of what nobody woke it for', async () => {
      const table = tableOf(
        'mintmark-core',
        patientDynamo(deployed().aws.client(deployed().aws.rootCredentials) as never),
        20_000,
      )
      await createRevocationStore(table).put(sampleRevocation({ tenant: 'acme', kind: 'run', value: 'by-hand' }))
      const before = edges.got.length
      expect(await deployed().functions.push({ source: 'mintmark.schedule' })).toEqual({ woken: 1 })
      await pushWoken()
      expect(edges.got).toHaveLength(before + 1)
    })
  })

  describe('a receiver that polls', () => {
    const sets = async (bearer: string, json: object = {}) => {
      const { statusCode, body } = await poll('acme', 'inner', { bearer, json: { maxEvents: 64, ...json } })
      expect(statusCode).toBe(200)
      return JSON.parse(body) as { readonly sets: Record<string, string>; readonly moreAvailable: boolean }
    }

    test('has every SET until it acknowledges it, and never after, signed for where it asks', async () => {
      const jti = await revoked()
      const { token } = await tokenOf('puller')
      for (let polled = await sets(token); Object.keys(polled.sets).length > 0; ) {
        const all = Object.values(polled.sets)
        await jwtVerify(all[0]!, await signalKeys(), { audience: `${BASE}/t/acme/receivers/inner/poll` })
        expect(Object.keys((await sets(token)).sets)).toEqual(Object.keys(polled.sets))
        const isLast = subjects(all).includes(jti)
        polled = await sets(token, { ack: Object.keys(polled.sets) })
        expect(isLast).toBe(Object.keys(polled.sets).length === 0)
      }
      expect(await stateOf('inner')).toMatchObject({ type: 'poll', pending: 0 })
    })

    test('is who its token says: no operator, no other receiver, and nobody of another tenant', async () => {
      const [{ token }, operator] = [await tokenOf('puller'), await tokenOf('operator')]
      expect((await poll('acme', 'inner', { bearer: operator.token, json: {} })).statusCode).toBe(403)
      expect((await poll('acme', 'edge', { bearer: token, json: {} })).statusCode).toBe(403)
      expect((await poll('globex', 'inner', { bearer: token, json: {} })).statusCode).toBe(401)
    })
  })

  test('on_replay: revoke: evidence that is presented again ends the credential it gave, by the record in the log', async () => {
    const once = evidence('acme', { environment: 'once' })
    const audience = 'https://once.example'
    const { status, body } = await deployed().exchange('acme', once, { audience })
    expect(status).toBe(200)
    const blocked = async () =>
      (await deployed().inForce('acme')).find(({ value }) => value === body['decision_id']) ?? null
    const again = await deployed().exchange('acme', once, { audience })
    expect(again.status).toBe(400)
    await carryOut()
    expect(await blocked()).toBeNull()
    await deployed().audit()
    await carryOut()
    expect(await blocked()).toMatchObject({ kind: 'credential', by: `replay ${again.body['decision_id']}` })
    expect(lyingIn('revoke-dlq')).toEqual([])
  })
}
