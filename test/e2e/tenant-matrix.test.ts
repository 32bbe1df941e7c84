// Two tenants, every route that takes a token and every kind of id (design P1, §5): a caller of one at the
// path of the other, and a caller at its own path with the other's ids, learn and change nothing. The tables are generated from
// the types of the routes: one that is added without a row here does not compile.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { wire } from '../../bin/embedded/wire.ts'
import type { AdminRequest } from '../../lib/domain/admin-request.ts'
import { exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { call, operatorTenant, type Right, tokenOf } from '../support/operators.ts'
import { TARGET } from '../support/tenants.ts'
import { ORGS, startTwoNamingTheirUrls, type Tenant } from '../support/two-tenants.ts'
import { until } from '../support/until.ts'

type Caller = Right | 'poller'
const THINGS = [
  'token',
  'credential',
  'denial',
  'run',
  'revocation',
  'order',
  'kid',
  'sink',
  'errand',
  'receiver',
] as const
/** One of each thing that has a name: of a tenant, or of nobody. */
type Things = Readonly<Record<(typeof THINGS)[number], string>>
type Asked = { readonly path: string; readonly form?: Record<string, string>; readonly json?: unknown }
type Row = { readonly right: Caller; readonly ask: (things: Things) => Asked }

const reason = 'the matrix'
const admin = (path: (things: Things) => string, json?: (things: Things) => unknown): Row => ({
  right: 'operator',
  ask: (things) => ({ path: `admin/${path(things)}`, ...(json && { json: json(things) }) }),
})
const audit = (path: (things: Things) => string): Row => ({ ...admin(path), right: 'auditor' })
const revoking = (kind: string, value: (things: Things) => string, isDryRun: boolean): Row =>
  admin(
    () => 'revocations',
    (things) => ({ kind, value: value(things), reason, dry_run: isDryRun }),
  )

/** By the kind of what is asked; several where several kinds of id can be given. */
const ADMIN: Readonly<Record<AdminRequest['kind'], readonly Row[]>> = {
  revoke: [
    revoking('credential', (things) => things.credential, true),
    revoking('credential', (things) => things.credential, false),
    revoking('run', (things) => things.run, true),
    revoking('run', (things) => things.run, false),
    revoking('own_key', (things) => things.kid, true),
  ],
  unblock: [
    admin(
      (things) => `revocations/${things.revocation}/unblock`,
      () => ({ reason }),
    ),
  ],
  revocations: [admin(() => 'revocations')],
  receivers: [admin(() => 'receivers')],
  order: [admin((things) => `orders/${things.order}`)],
  decision: [admin((things) => `decisions/${things.credential}`), admin((things) => `decisions/${things.denial}`)],
  simulate: [
    admin(
      () => 'simulate',
      () => ({ claims: { iss: 'https://token.actions.githubusercontent.com', sub: 'x' }, audience: TARGET }),
    ),
  ],
  sinks: [admin(() => 'sinks')],
  ask_sink: [
    admin(
      (things) => `sinks/${things.sink}/test`,
      () => ({}),
    ),
    admin(
      (things) => `sinks/${things.sink}/resend`,
      () => ({}),
    ),
  ],
  sink_errand: [admin((things) => `sinks/errands/${things.errand}`)],
  dead_letters: [admin((things) => `sinks/${things.sink}/dead-letters`)],
  log: [audit(() => 'audit')],
  log_events: [audit(() => 'audit/events?from=0')],
  log_search: [
    audit((things) => `audit/search?decision=${things.credential}`),
    audit((things) => `audit/search?run=${things.run}`),
  ],
  log_proof: [audit((things) => `audit/proof?event=${things.credential}`)],
  keys: [admin(() => 'keys')],
  rotate_keys: [
    admin(
      () => 'keys/rotate',
      () => ({}),
    ),
  ],
  // Last: what the key signed is dead with it.
  taint_key: [
    admin(
      (things) => `keys/${things.kid}/taint`,
      () => ({ reason }),
    ),
  ],
}

type Routes = keyof Awaited<ReturnType<typeof wire>>['tenantRoutes']
/** Null: what is there is public, or takes no token of a tenant. */
const ROUTES: Readonly<Record<Routes, readonly Row[] | null>> = {
  introspect: [{ right: 'reader', ask: (things) => ({ path: 'introspect', form: { token: things.token } }) }],
  revoke: [{ right: 'revoker', ask: (things) => ({ path: 'revoke', form: { token: things.token } }) }],
  'receivers/': [
    {
      right: 'poller',
      ask: (things) => ({ path: `receivers/${things.receiver}/poll`, json: { returnImmediately: true } }),
    },
  ],
  token: null,
  events: null,
  revocations: null,
  'log/': null,
  'jwks.json': null,
  'signal-jwks.json': null,
  '.well-known/openid-configuration': null,
  'admin/': Object.values(ADMIN).flat(),
}

/** A row with the names of the things for the things themselves. */
const nameOf = ({ right, ask }: Row): string => {
  const names = Object.fromEntries(THINGS.map((name) => [name, `<${name}>`])) as Things
  return `${right} ${JSON.stringify(ask(names))}`
}

/** What only lists or searches goes first: what globex has named itself is in its own lists from then on. */
const leavesTraces = ([name, { right }]: readonly [string, Row]): number =>
  Number(name.includes('<') && right !== 'auditor')
const ROWS = Object.values(ROUTES)
  .flatMap((rows) => rows ?? [])
  .map((row) => [nameOf(row), row] as const)
  .sort((one, other) => leavesTraces(one) - leavesTraces(other))

const key = issuerKey('RS256')
let broker: RunningBroker
const urlOf = (tenant: Tenant): string => `${broker.url}/t/${tenant}`

const document = (tenant: Tenant, url: string): string => `${operatorTenant(tenant, url, key, ORGS[tenant])}
  poller:
    from: github
    match: { project.id: "7654321", environment.name: poller }
    identity: /ops/{project.id}/poller
    issue:
      - { type: access_token, audience: ["${url}"], scope: ["receive:${tenant}in"], ttl: 10m }
receivers:
  ${tenant}in: { type: poll }
sinks:
  ${tenant}log: { type: jsonl, path: ${tenant}-audit.jsonl }
`

const callerOf = async (tenant: Tenant, right: Caller): Promise<string> => {
  const claims = { environment: right }
  return (await tokenOf(urlOf(tenant), { key, right: right as Right, orgId: ORGS[tenant], claims })).token
}
const ask = async (tenant: Tenant, { path, form, json }: Asked, bearer: string) =>
  call(`${urlOf(tenant)}/${path}`, { bearer, ...(form && { form }), ...(json !== undefined && { json }) })
/** What is on its way is not found until it is there. */
const untilFound = (tenant: Tenant, path: string, bearer: string) =>
  until(
    `${path} of ${tenant}`,
    () => ask(tenant, { path }, bearer),
    ({ status }) => status !== 404,
  )
const told = async (tenant: Tenant, asked: Asked, bearer: string): Promise<Record<string, unknown>> => {
  const { status, text } = await ask(tenant, asked, bearer)
  expect(Math.floor(status / 100), `${asked.path}: ${text}`).toBe(2)
  return JSON.parse(text) as Record<string, unknown>
}

const thingsOf = async (tenant: Tenant): Promise<Things> => {
  const run = String(Number.parseInt(randomUUID().slice(0, 8), 16))
  const orgId = ORGS[tenant]
  const { token, jti } = await tokenOf(urlOf(tenant), { key, right: 'deploy', orgId, claims: { run_id: run } })
  const evidence = githubClaims(urlOf(tenant), { repository_owner_id: orgId, run_id: '1', environment: 'elsewhere' })
  const denied = await exchange(urlOf(tenant), signAssertion(key, evidence), { audience: TARGET })
  const operator = await callerOf(tenant, 'operator')
  const accepted = await told(
    tenant,
    { path: 'admin/revocations', json: { kind: 'run', value: randomUUID(), reason } },
    operator,
  )
  const order = String((accepted['order'] as { readonly id: string }).id)
  const path = `admin/orders/${order}`
  // Not found until it is carried out.
  await untilFound(tenant, path, operator)
  const inForce = await told(tenant, { path }, operator)
  const [revocation] = (inForce['applied'] as { readonly revocations: readonly string[] }).revocations
  const keys = (await told(tenant, { path: 'admin/keys' }, operator))['keys'] as {
    kid: string
    state: string
    use: string
  }[]
  const sink = `${tenant}log`
  const errand = await told(tenant, { path: `admin/sinks/${sink}/test`, json: {} }, operator)
  return {
    token,
    credential: jti,
    denial: String(denied.body['decision_id']),
    run,
    revocation: revocation!,
    order,
    kid: keys.find(({ state, use }) => state === 'active' && use === 'token')!.kid,
    sink,
    errand: String((errand['errand'] as { readonly id: string }).id),
    receiver: `${tenant}in`,
  }
}

/** A log that has nothing yet is not found, and what is not in it yet neither. */
const untilInLog = async (tenant: Tenant, event: string): Promise<void> => {
  const auditor = await callerOf(tenant, 'auditor')
  await untilFound(tenant, `admin/audit/proof?event=${event}`, auditor)
}

const nobodys = (theirs: Things): Things => ({
  token: `${theirs.token.slice(0, -4)}AAAA`,
  credential: randomUUID(),
  denial: randomUUID(),
  run: '40440440440440',
  revocation: randomUUID(),
  order: randomUUID(),
  kid: 'x'.repeat(43),
  sink: 'nosuchlog',
  errand: randomUUID(),
  receiver: 'nosuchin',
})

/** With a name for each thing, and for each id and time of an answer of its own: what is left says whether the thing is there. */
const masked = (text: string, things: Things): string => {
  let rest = text
  for (const [name, thing] of Object.entries(things)) rest = rest.replaceAll(thing, `{${name}}`)
  return rest.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}').replaceAll(/\b1\d{9}\b/g, '{time}')
}

let acme: Things
beforeAll(async () => {
  ;({ broker } = await startTwoNamingTheirUrls(document, ['--limits', 'off']))
  acme = await thingsOf('acme')
  await untilInLog('acme', acme.credential)
  await untilInLog('globex', (await tokenOf(urlOf('globex'), { key, right: 'auditor', orgId: ORGS.globex })).jti)
})
afterAll(() => removeBroker(broker))

/** What somebody of another tenant could have changed. */
const stateOfAcme = async () => {
  const operator = await callerOf('acme', 'operator')
  return {
    revocations: await told('acme', { path: 'admin/revocations' }, operator),
    keys: await told('acme', { path: 'admin/keys' }, operator),
    credential: await told(
      'acme',
      { path: 'introspect', form: { token: acme.token } },
      await callerOf('acme', 'reader'),
    ),
  }
}

describe('a caller of globex', () => {
  let before: Awaited<ReturnType<typeof stateOfAcme>>
  beforeAll(async () => {
    before = await stateOfAcme()
  })

  test.each(ROWS)('at the path of acme is nobody: %s', async (_, row) => {
    const asked = row.ask(acme)
    const [stranger, nobody] = [await callerOf('globex', row.right), 'nobody']
    const [theirs, none] = [await ask('acme', asked, stranger), await ask('acme', asked, nobody)]
    expect(theirs.status).toBe(401)
    expect([theirs.status, masked(theirs.text, acme)]).toEqual([none.status, masked(none.text, acme)])
  })

  test.each(ROWS)('with what is acme’s is told what is told of what is nobody’s: %s', async (_, row) => {
    const bearer = await callerOf('globex', row.right)
    const none = nobodys(acme)
    const [theirs, nothing] = [await ask('globex', row.ask(acme), bearer), await ask('globex', row.ask(none), bearer)]
    for (const [name, thing] of Object.entries(acme))
      if (!JSON.stringify(row.ask(acme)).includes(thing)) expect(theirs.text, name).not.toContain(thing)
    expect(theirs.status).toBe(nothing.status)
    // Where no thing is named both ask the same, and time goes by between the answers.
    if (JSON.stringify(row.ask(acme)) !== JSON.stringify(row.ask(none)))
      expect(masked(theirs.text, acme)).toBe(masked(nothing.text, none))
  })

  test('has changed nothing there after all that', async () => {
    expect(await stateOfAcme()).toEqual(before)
  })
})

test.each(ROWS)('a caller of acme is answered there, or the rows above would show nothing: %s', async (_, row) => {
  const { status, text } = await ask('acme', row.ask(acme), await callerOf('acme', row.right))
  expect(Math.floor(status / 100), text).toBe(2)
})
