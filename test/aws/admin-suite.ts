// What operators of a tenant ask the function admin for, beside orders: its audit log, and what a request would be answered. Run by
// lambda-e2e.test.ts on its deployment.
import { describe, expect, test } from 'vitest'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { canonicalJson } from '../../lib/domain/canonical-json.ts'
import { isIncluded, leafHash } from '../../lib/domain/tlog/merkle.ts'
import { openNote, parseCheckpoint, parseProof, parseVerifierKey } from '../../lib/domain/tlog/signed-note.ts'
import { commitmentOf } from '../../lib/flows/audit/leaf-hashes.ts'
import type { Receipt } from '../../lib/flows/audit/prove-event.ts'
import { SCHEDULED } from '../../lib/wire/lambda-events.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { githubClaims } from '../support/evidence.ts'
import { TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { callsOf, whenAway } from './deployed-calls.ts'

const BASE = 'https://sts.example.com'

export const adminSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { admin } = callsOf(deployed)
  const bearerOf = async (environment: string): Promise<string> => {
    const audience = `${BASE}/t/acme`
    return (await deployed().exchange('acme', evidence('acme', { environment }), { audience })).body['access_token']!
  }
  const read = (text: string) => JSON.parse(text) as Record<string, never>
  const get = async (path: string, query = '', bearer?: string) => {
    const sent = { bearer: bearer ?? (await bearerOf('auditor')), query }
    const { statusCode, body } = await admin('GET', path, sent)
    return { status: statusCode, body: read(body) }
  }

  describe('the audit log over HTTP', () => {
    test('head, events page by page and search are those of the log, for scope audit:read and for no other', async () => {
      const { body } = await deployed().exchange('acme', evidence('acme'), { audience: TARGET })
      await deployed().audit()
      const head = await get('audit')
      expect(head).toMatchObject({ status: 200, body: { origin: 'sts.example.com/t/acme/log', expired: null } })
      const { leaves } = (await get('audit/events', 'from=1')).body as unknown as { leaves: { index: number }[] }
      expect(leaves.map(({ index }) => index)).toEqual(leaves.map((_, at) => at + 1))
      const decision = body['decision_id']!
      const { body: found } = await get('audit/search', `decision=${decision}`)
      expect(found['events']).toContainEqual(
        expect.objectContaining({ metadata: expect.objectContaining({ uid: decision }) }),
      )
      expect((await get('audit', '', await bearerOf('operator'))).status).toBe(403)
    })

    test('a receipt is verified by whoever has it, with the key that the public log serves; and who asked is on record', async () => {
      const { body } = await deployed().exchange('acme', evidence('acme'), { audience: TARGET })
      const decision = body['decision_id']!
      await deployed().audit()
      const answer = await until(
        'a receipt',
        async () => {
          await deployed().functions.checkpoint(SCHEDULED).catch(whenAway)
          return get('audit/proof', `event=${decision}`)
        },
        ({ status }) => status === 200,
      )
      const { event, salt, proof } = answer.body['receipt'] as unknown as Receipt
      const [vkey] = (await deployed().get('/t/acme/log/vkeys')).body.trim().split('\n')
      const { note, index, proof: path } = parseProof(proof)!
      const key = parseVerifierKey(nodeSha256, vkey!)!
      const { size, root } = parseCheckpoint(openNote({ sha256: nodeSha256, verify: nodeVerifyEd25519 }, note, [key])!)!
      const leaf = leafHash(nodeSha256, commitmentOf(nodeSha256, Buffer.from(salt, 'base64'), canonicalJson(event)))
      expect(isIncluded(nodeSha256, { leaf, index, size, root, proof: path })).toBe(true)
      await deployed().audit()
      const { body: looked } = await get('audit/search', 'code=decision_read')
      expect(JSON.stringify(looked['events'])).toContain(decision)
    })
  })

  test('a simulation is answered by the current configuration, spends nothing, and writes nothing', async () => {
    const bearer = await bearerOf('operator')
    const simulate = async (json: unknown) => {
      const { statusCode, body } = await admin('POST', 'simulate', { bearer, json })
      return { status: statusCode, body: read(body) }
    }
    const before = deployed().aws.recorder.entries().length
    const assertion = evidence('acme')
    const told = await simulate({ assertion, audience: TARGET })
    expect(told).toMatchObject({ status: 200, body: { verdict: { allow: true } } })
    const actions = deployed()
      .aws.recorder.entries()
      .slice(before)
      .map(({ action }) => action)
    expect(actions.filter((action) => /PutItem|UpdateItem|DeleteItem|SendMessage/.test(action))).toEqual([])
    const claims = githubClaims(`${BASE}/t/acme`, { repository_owner_id: '1234567', environment: 'nowhere' })
    // By another grant, which does not issue for that target.
    const refused = await simulate({ claims, audience: TARGET })
    expect(refused).toMatchObject({ status: 200, body: { verdict: { allow: false, kind: 'target_unknown' } } })
    // It was not redeemed.
    expect((await deployed().exchange('acme', assertion, { audience: TARGET })).status).toBe(200)
  })
}
