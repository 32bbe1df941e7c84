// `npm run demo`: the whole story in one run. Every answer is a real one, from the real broker over HTTP.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { startLocalStack } from './local-stack.ts'

const TTY = process.stdout.isTTY === true && !process.env['NO_COLOR']
const paint = (code: number) => (text: string) => (TTY ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)
const say = (text = '') => process.stdout.write(`${text}\n`)

let step = 0
let failures = 0
const title = (text: string) => {
  step += 1
  say(`\n${bold(`${step}. ${text}`)}`)
}
const show = (name: string, value: unknown) => say(`   ${dim(name.padEnd(12))} ${String(value)}`)
const check = (isAsExpected: boolean, text: string) => {
  if (!isAsExpected) failures += 1
  say(`   ${isAsExpected ? green('✓') : red('✗')} ${text}`)
}

const directory = '.mintmark/demo'
const stack = await startLocalStack({ directory, port: 18_080 })
const acme = `${stack.url}/t/acme`
const TARGET = 'https://deploy.acme.example'

type Answer = { readonly status: number; readonly body: Record<string, unknown> }
const exchange = async (tenantUrl: string, assertion: string, audience = TARGET): Promise<Answer> => {
  const response = await fetch(`${tenantUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: assertion,
      audience,
    }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const mintmark = (...args: string[]) => {
  const done = spawnSync(process.execPath, ['bin/mintmark.ts', ...args], { encoding: 'utf8' })
  return { code: done.status, text: `${done.stdout}${done.stderr}`.trimEnd() }
}
const quote = (text: string) => say(text.replace(/^/gm, `   ${dim('│')} `))

try {
  say(bold('Mintmark: evidence a platform signed in, a short-lived scoped token out.'))
  say(dim(`broker ${stack.url}, a local issuer at ${stack.platform.url} plays GitHub Actions; data in ${directory}`))

  title('A CI job exchanges its assertion')
  const assertion = await stack.platform.issue('github', { aud: acme })
  const job = decodeJwt(assertion)
  show('job', `${job['repository']} ${job['ref']} (${job['event_name']}, environment ${job['environment']})`)
  const issued = await exchange(acme, assertion)
  check(
    issued.status === 200,
    `a token for ${TARGET}, ${issued.body['expires_in']} seconds, scope "${issued.body['scope']}"`,
  )
  const token = String(issued.body['access_token'])

  title('A relying party verifies it offline')
  const keys = createRemoteJWKSet(new URL(`${acme}/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: acme, audience: TARGET, typ: 'at+jwt' })
  show('header', `${protectedHeader.typ}, ${protectedHeader.alg}, key ${String(protectedHeader.kid).slice(0, 12)}…`)
  show('sub', payload.sub)
  show('wid', JSON.stringify(payload['wid']))
  check(payload.iss === acme, 'signed by the tenant’s own key, for this audience, unexpired')

  title('The same assertion again: refused')
  const replay = await exchange(acme, assertion)
  show('answer', `${replay.status} ${replay.body['error']}: ${replay.body['error_description']}`)
  check(replay.status === 400 && replay.body['error'] === 'invalid_request', 'evidence is redeemed once')

  title('At another tenant: refused')
  const globex = `${stack.url}/t/globex`
  const stray = await exchange(
    globex,
    await stack.platform.issue('github', { aud: globex }),
    'https://deploy.globex.example',
  )
  show('answer', `${stray.status} ${stray.body['error']}: ${stray.body['error_description']}`)
  check(stray.status === 400, 'a valid assertion, but of another customer of the same issuer')

  title('A pull request of the same repository: refused, and explained')
  const pullRequest = await stack.platform.issue('github', {
    aud: acme,
    event_name: 'pull_request',
    ref: 'refs/pull/7/merge',
    head_ref: 'evil',
    base_ref: 'main',
  })
  const denied = await exchange(acme, pullRequest)
  show('the caller', `${denied.status} ${denied.body['error']}: ${denied.body['error_description']}`)
  check(
    denied.status === 400 && denied.body['error'] === 'invalid_target',
    'the caller learns a constant and a decision id',
  )
  const file = join(directory, 'pull-request.jwt')
  writeFileSync(file, pullRequest)
  say(`   ${dim('$ mintmark explain --tenant acme --assertion pull-request.jwt')}`)
  const explained = mintmark(
    'explain',
    '--tenant',
    'acme',
    '--assertion',
    file,
    '--tenants',
    stack.tenantsDir,
    '--base-url',
    stack.url,
    '--target',
    TARGET,
    '--dev',
  )
  quote(explained.text)
  check(explained.code === 1 && explained.text.includes('trigger.class'), 'explained offline, from the documents alone')

  title('What the operator sees of that request')
  say(`   ${dim(`$ mintmark decision ${denied.body['decision_id']}`)}`)
  const decision = mintmark('decision', String(denied.body['decision_id']), '--data', stack.dataDir)
  quote(decision.text)
  check(decision.code === 0, 'the reason, condition by condition, from the record')

  say(
    failures === 0
      ? `\n${green('Everything above was a real request.')} Next: npm start, then README.md.`
      : `\n${red(`${failures} steps did not go as they should.`)}`,
  )
} finally {
  await stack.stop()
}
process.exitCode = failures === 0 ? 0 : 1
