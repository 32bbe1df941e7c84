// A tenant's log on its way to real receivers on AWS: what arrives, what is brought again, what its operators see and ask. Run by
// lambda-e2e.test.ts on its deployment.
import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type ClientPlace, lambdaClient } from '../../lib/adapters/aws/clients.ts'
import { createLambdaMessageSigner } from '../../lib/adapters/aws/lambda-message-signer.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import type { SinkErrand, SinkStatus } from '../../lib/domain/sink.ts'
import type { Unavailable } from '../../lib/domain/unavailable.ts'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import { SCHEDULED } from '../../lib/wire/lambda-events.ts'
import type { Deployed } from '../support/aws/deployed.ts'
import { isSignedFor } from '../support/signed-request.ts'
import { json, type Received, type Reply, startReceiver } from '../support/sink-receiver.ts'
import { TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { callsOf, runUntil, whenAway } from './deployed-calls.ts'

const BASE = 'https://sts.example.com'
const HOOK = 'https://hooks.example/events?from=mintmark'
const VAULT_HOOK = 'https://hooks.example/vault'

export const SINKS = `
sinks:
  hook: { type: webhook, url: "${HOOK}", token: { file: acme/hook } }
  siem: { type: splunk-hec, url: "https://siem.example:8088", token: { file: acme/hec } }
  search: { type: elasticsearch, url: "https://search.example:9200", index: audit }
  local: { type: jsonl, path: acme-audit.jsonl }
`

/** Of the tenant whose keys never leave KMS. */
export const VAULT_SINKS = `
sinks:
  hook: { type: webhook, url: "${VAULT_HOOK}" }
`

/** In Secrets Manager. */
export const SINK_SECRETS = { 'mintmark/acme/hec': 'token-of-the-collector', 'mintmark/acme/hook': 'token-of-the-hook' }

/** Where hosts of sinks really are. */
const hosts = new Map<string, string>()
const guarded = createGuardedHttp({ dev: true, egressAllow: [], ports: 'any', query: true })
/** What sinks are on the internet: receivers on this machine, asked by the guarded client under the names they have there. */
export const sinksOnTheInternet: Pick<OutboundHttp, 'post'> = {
  async post(url, body, options) {
    const { host, pathname, search } = new URL(url)
    const at = hosts.get(host)
    if (at === undefined) return { ok: false, failure: { reason: 'connect_failed', status: null, bytes: 0 } }
    return guarded.post(`${at}${pathname}${search}`, body, options)
  },
}

const acknowledged: Reply = ({ path, text }, response) =>
  path.endsWith('/ack')
    ? json(response, {
        acks: Object.fromEntries((JSON.parse(text) as { acks: number[] }).acks.map((id) => [id, true])),
      })
    : json(response, { text: 'Success', code: 0, ackId: 7 })

/** Refuses events whose uid it is told, as one refuses what does not fit into its mapping. */
const searching =
  (poison: ReadonlySet<string>): Reply =>
  ({ text }, response) => {
    const lines = text.trimEnd().split('\n')
    const ids = lines.filter((_, at) => at % 2 === 0).map((line) => (JSON.parse(line) as Bulk).create._id)
    const items = ids.map((id) => ({
      create: poison.has(id) ? { status: 400, error: { type: 'mapper_parsing_exception' } } : { status: 201 },
    }))
    json(response, { errors: items.some(({ create }) => create.status === 400), items })
  }
type Bulk = { readonly create: { readonly _id: string } }

export const sinkSuite = (
  deployed: () => Deployed,
  evidence: (tenant: string, more?: Record<string, unknown>) => string,
): void => {
  const { admin } = callsOf(deployed)
  const exchange = async (environment = 'production', audience = TARGET) => {
    const { body } = await deployed().exchange('acme', evidence('acme', { environment }), { audience })
    return body['access_token']!
  }
  const bearer = () => exchange('operator', `${BASE}/t/acme`)
  const read = (text: string) => JSON.parse(text) as Record<string, unknown>
  const statusOf = async (name: string): Promise<SinkStatus> => {
    const { body } = await admin('GET', 'sinks', { bearer: await bearer() })
    return (read(body)['sinks'] as SinkStatus[]).find((sink) => sink.name === name)!
  }
  const receiverAt = async (host: string, reply: Reply) => {
    const receiver = await startReceiver(reply)
    hosts.set(host, receiver.url)
    return receiver
  }
  const deliverUntil = (what: string, isDone: () => boolean | Promise<boolean>) =>
    runUntil(what, () => deployed().functions.deliver(), isDone)
  /** Of a sink, once it is so. */
  const deliveredUntil = (name: string, isSo: (status: SinkStatus) => boolean) =>
    until(
      `a state of the sink ${name}`,
      async () => {
        await deployed().functions.deliver().catch(whenAway)
        return statusOf(name)
      },
      isSo,
    )
  /** Signed, and kept by an anchor. */
  const checkpoint = () =>
    runUntil(
      'a checkpoint at its anchor',
      () => deployed().functions.checkpoint(SCHEDULED),
      async () => {
        const { body } = await admin('GET', 'sinks', { bearer: await bearer() })
        return (read(body)['anchors'] as unknown[] | undefined)?.length === 1
      },
    )
  const eventsIn = (texts: readonly string[]): OcsfEvent[] =>
    texts.flatMap((text) => text.split('\n').map((line) => (JSON.parse(line) as { event: OcsfEvent }).event))
  const taken: Reply = (_, response) => void response.writeHead(204).end()
  const cloudEventsIn = (received: readonly Received[]): OcsfEvent[] =>
    received.flatMap(({ text }) => (JSON.parse(text) as { data: OcsfEvent }[]).map(({ data }) => data))
  const sequencesIn = (received: readonly Received[]) =>
    cloudEventsIn(received).flatMap(({ metadata }) => metadata.sequence ?? [])
  const logKeysOf = async (tenant: string) =>
    JSON.parse((await deployed().get(`/t/${tenant}/log/jwks.json`)).body) as Parameters<typeof isSignedFor>[2]
  const uidsIn = (texts: readonly string[]): string[] =>
    texts
      .flatMap((text) =>
        text
          .trimEnd()
          .split('\n')
          .filter((_, at) => at % 2 === 0),
      )
      .map((line) => (JSON.parse(line) as Bulk).create._id)

  describe('deliver to webhooks, signed by checkpoint', () => {
    test('brings each log to its own webhook, in order, in requests that verify with the key of that tenant alone, held or not', async () => {
      await exchange()
      await deployed().exchange('vault', evidence('vault'), { audience: TARGET })
      await deployed().audit()
      const hooks = await receiverAt('hooks.example', taken)
      const at = (path: string) => hooks.all.filter((received) => received.path === path)
      await deliverUntil('the log of the vault at its webhook', () => at('/vault').length > 0)
      await deliveredUntil('hook', ({ backlogLeaves }) => backlogLeaves === 0)
      const ofAcme = at('/events?from=mintmark')
      expect(ofAcme[0]!.headers.authorization).toBe(`Bearer ${SINK_SECRETS['mintmark/acme/hook']}`)
      const sequences = sequencesIn(ofAcme)
      expect(sequences.length).toBeGreaterThan(3)
      expect(sequences).toEqual(sequences.map((_, index) => index))
      expect(new Set(cloudEventsIn(ofAcme).map(({ metadata }) => metadata.tenant_uid))).toEqual(new Set(['acme']))
      const [acme, vault] = [await logKeysOf('acme'), await logKeysOf('vault')]
      for (const received of ofAcme) expect(isSignedFor(HOOK, received, acme)).toBe(true)
      for (const received of at('/vault')) expect(isSignedFor(VAULT_HOOK, received, vault)).toBe(true)
      expect(isSignedFor(VAULT_HOOK, ofAcme[0]!, acme)).toBe(false)
      expect(isSignedFor(HOOK, ofAcme[0]!, vault)).toBe(false)
    })

    test('waits while nobody signs, sends nothing unsigned, and then brings all of it', async () => {
      const hooks = await receiverAt('hooks.example', taken)
      await exchange()
      await exchange()
      await deployed().audit()
      const { faults } = deployed().aws
      faults.inject([{ action: 'lambda:Invoke', percent: 100, kind: 'error', status: 503 }])
      await deliverUntil('signing that was refused', () => (faults.struck[0] ?? 0) > 1)
      faults.inject([])
      const { backlogLeaves, trouble } = await statusOf('hook')
      expect([trouble, hooks.all]).toEqual(['unavailable_here', []])
      expect(backlogLeaves).toBeGreaterThan(1)
      await deliveredUntil('hook', (status) => status.backlogLeaves === 0)
      const sequences = sequencesIn(hooks.all)
      expect(sequences).toEqual(Array.from({ length: backlogLeaves }, (_, index) => Number(sequences[0]) + index))
      expect(await statusOf('hook')).toMatchObject({ trouble: null, failures: 0, deadLetters: {} })
    })

    test('with the credentials of deliver no other URL is signed for than those of the tenant that is named', async () => {
      const { aws, variablesOf } = deployed()
      const functionName = variablesOf('deliver')['MINTMARK_CHECKPOINT_FUNCTION']!
      const client = lambdaClient(aws.client(aws.credentialsFor('deliver')) as ClientPlace)
      const signer = createLambdaMessageSigner({ client, functionName })
      const digest = hash('sha256', 'what never happened', 'base64')
      /** The key that signed, or why none did; once more where the emulator was slow. */
      const askFor = (tenant: string, url: string): Promise<string> =>
        until(
          'an answer of who signs',
          () =>
            signer.sign(tenant, { url, digest }).then(
              ({ kid }) => kid,
              (error: Unavailable) => error.kind,
            ),
          (answer) => answer !== 'signing_key_unavailable',
        )
      expect(await askFor('acme', HOOK)).toBe((await logKeysOf('acme')).keys[0]!.kid)
      for (const [tenant, url] of [
        ['acme', VAULT_HOOK],
        ['vault', HOOK],
        ['globex', HOOK],
        ['acme', 'https://siem.example:8088'],
        ['acme', 'https://elsewhere.example/'],
      ] as const)
        expect(await askFor(tenant, url)).toBe('changed_underway')
      client.destroy()
    })
  })

  describe('deliver', () => {
    test('brings the whole log to a collector, in its order, with the checkpoint that covers it, and nothing a second time', async () => {
      await exchange()
      await deployed().audit()
      await checkpoint()
      const siem = await receiverAt('siem.example:8088', acknowledged)
      const sent = () => eventsIn(siem.all.filter(({ path }) => path.endsWith('/event')).map(({ text }) => text))
      const checkpointed = () => sent().some(({ status_code }) => status_code === 'checkpoint')
      await deliverUntil('the checkpoint at the collector', checkpointed)
      expect(siem.all[0]!.headers.authorization).toBe(`Splunk ${SINK_SECRETS['mintmark/acme/hec']}`)
      const sequences = sent().flatMap(({ metadata }) => metadata.sequence ?? [])
      expect(sequences.length).toBeGreaterThan(3)
      expect(sequences).toEqual(sequences.map((_, at) => at))
      expect(new Set(sent().map(({ metadata }) => metadata.tenant_uid))).toEqual(new Set(['acme']))
      const { length } = siem.all
      await deployed().functions.deliver()
      expect(siem.all).toHaveLength(length)
    })

    test('of a sink that is down says so to the operators, loses nothing, and goes on when it is back', async () => {
      await deployed().audit()
      const search = await receiverAt('search.example:9200', (_, response) => void response.writeHead(503).end())
      await deliveredUntil('search', ({ trouble }) => trouble === 'status_5xx')
      const { backlogLeaves, lagSeconds, type, deliveredAtSeconds } = await statusOf('search')
      expect([type, deliveredAtSeconds]).toEqual(['elasticsearch', null])
      expect(backlogLeaves).toBeGreaterThan(3)
      expect(lagSeconds).toBeGreaterThanOrEqual(0)
      search.all.length = 0
      search.reply = searching(new Set())
      await deliveredUntil('search', (status) => status.deliveredAtSeconds !== null)
      expect(uidsIn(search.all.map(({ text }) => text)).length).toBeGreaterThanOrEqual(backlogLeaves)
      expect(await statusOf('search')).toMatchObject({ trouble: null, failures: 0, deadLetters: {} })
    })

    test('keeps what a sink can never take, shows it, and sends it again when an operator asks', async () => {
      const poison = new Set<string>()
      const search = await receiverAt('search.example:9200', (received, response) => {
        // The first of what is new is the one it does not take.
        if (poison.size === 0) poison.add(uidsIn([received.text])[0]!)
        searching(poison)(received, response)
      })
      await exchange()
      await exchange()
      await deployed().audit()
      await deliveredUntil('search', ({ deadLetters }) => deadLetters.mapping_refused === 1)
      const [uid] = poison
      const operator = await bearer()
      const { letters } = read((await admin('GET', 'sinks/search/dead-letters', { bearer: operator })).body) as {
        letters: readonly { uid: string; reason: string }[]
      }
      expect(letters).toEqual([{ uid, leaf: expect.any(Number), reason: 'mapping_refused' }])
      poison.clear()
      poison.add('nothing')
      search.all.length = 0
      const asked = await admin('POST', 'sinks/search/resend', { bearer: operator, json: {} })
      expect(asked.statusCode).toBe(202)
      const { id } = read(asked.body)['errand'] as SinkErrand
      const errand = async () =>
        read((await admin('GET', `sinks/errands/${id}`, { bearer: operator })).body)['errand'] as SinkErrand
      await deliverUntil('an errand that is done', async () => (await errand()).outcome !== null)
      expect((await errand()).outcome).toEqual({ delivered: 1, refused: 0, trouble: null })
      expect(uidsIn(search.all.map(({ text }) => text))).toContain(uid)
      expect((await statusOf('search')).deadLetters).toEqual({})
    })

    test('sends a marked event when an operator asks, and of a file that only an embedded broker writes nothing is said to be done', async () => {
      const siem = await receiverAt('siem.example:8088', acknowledged)
      const operator = await bearer()
      const { id } = read((await admin('POST', 'sinks/siem/test', { bearer: operator, json: {} })).body)[
        'errand'
      ] as SinkErrand
      await deliverUntil('the marked event', () => siem.all.some(({ text }) => text.includes(`test.${id}`)))
      const { errand } = read((await admin('GET', `sinks/errands/${id}`, { bearer: operator })).body) as {
        errand: SinkErrand
      }
      expect(errand.outcome).toEqual({ delivered: 1, refused: 0, trouble: null })
      expect(await statusOf('local')).toMatchObject({ type: 'jsonl', deliveredAtSeconds: null })
    })
  })
}
