// `npm start`: the embedded broker with the example tenants, a local CI platform, and commands ready to paste.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startLocalStack } from './local-stack.ts'

const stack = await startLocalStack({ directory: '.mintmark/playground', port: 8080 })
const tenantUrl = `${stack.url}/t/acme`

// Assertions live five minutes, so the commands below fetch a fresh one each time they are pasted.
const jobs = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const audience = url.searchParams.get('audience') ?? tenantUrl
  const overrides = Object.fromEntries([...url.searchParams].filter(([name]) => name !== 'audience'))
  stack.platform.issue('github', { aud: audience, ...overrides }).then(
    (assertion) => response.end(assertion),
    () => response.writeHead(400).end(),
  )
})
await new Promise<void>((resolve) => jobs.listen(0, '127.0.0.1', resolve))
const jobUrl = `http://127.0.0.1:${(jobs.address() as AddressInfo).port}/assertion`

const curl = (assertion: string, tenant = tenantUrl) =>
  [
    `curl -s ${tenant}/token \\`,
    '  -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\',
    '  -d subject_token_type=urn:ietf:params:oauth:token-type:jwt \\',
    '  -d audience=https://deploy.acme.example \\',
    `  -d subject_token="${assertion}"`,
  ].join('\n')

process.stdout.write(`
Mintmark is running at ${stack.url} with the example tenants of tenants/.
A local issuer at ${stack.platform.url} plays GitHub Actions.

Redeem a fresh assertion of acme/api's deploy job for a token:

${curl(`$(curl -s ${jobUrl})`)}

Then try:

  # the same assertion twice: the second is refused
  ASSERTION=$(curl -s ${jobUrl})
${indent(curl('$ASSERTION'))}
${indent(curl('$ASSERTION'))}

  # a pull request of the same repository: refused; ask why with the decision_id of the answer
${indent(curl(`$(curl -s '${jobUrl}?event_name=pull_request&ref=refs/pull/7/merge')`))}
  npm run -s mintmark -- decision DECISION_ID --data ${stack.dataDir}

  # what relying parties verify with
  curl -s ${tenantUrl}/jwks.json
  curl -s ${tenantUrl}/.well-known/openid-configuration

  # the whole story in one run
  npm run demo

Ctrl-C stops everything.
`)

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}

const stop = async (): Promise<void> => {
  jobs.close()
  await stack.stop()
  process.exit(0)
}
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())
