// Spacelift (issuers.md §2.9, T13). `aud` is the account's host name, the same for every relying party: once, 120 s. Only
// tracked runs are trusted: PROPOSED runs code of a pull request, TASK any command. `scope` is advisory. Pure.
import type { Provider } from '../domain/provider.ts'
import { isHttpsIssuer } from './issuer-forms.ts'
import { claim, joined, runnerUnknown } from './leaf-sources.ts'

const OWN = /^https:\/\/[^/]+\.app\.spacelift\.io(?:\/|$)/
const ACCOUNT = /^https:\/\/[a-z0-9][a-z0-9-]*\.app\.spacelift\.io$/

const hostOf = (iss: string): string => iss.replace(/^https?:\/\//, '').replace(/\/.*$/s, '')

export const spacelift: Provider = {
  name: 'spacelift',
  title: 'Spacelift',
  issuer: {
    owns: (iss) => OWN.test(iss),
    accepts: (iss) => ACCOUNT.test(iss) || (isHttpsIssuer(iss) && !OWN.test(iss)),
    shared: () => false,
    form: 'https://<account>.app.spacelift.io, or the custom issuer of a self-hosted Spacelift',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 120,
  replay: 'once',
  audience: 'fixed',
  fixedAudience: hostOf,
  defaultAudiences: (aud) => aud.endsWith('.app.spacelift.io'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': { issuer: true, mutability: 'immutable' },
    // Stack slugs repeat across spaces: only the pair names a stack.
    'project.id': joined(['spaceId', 'callerId'], 'reusable'),
    'workflow.uri': claim('callerType', 'mutable'),
    'trigger.raw': claim('runType', 'mutable'),
    phase: claim('scope', 'caller'),
    'run.id': claim('runId', 'per_run'),
    'runner.class': runnerUnknown,
  },
  // TESTING and DESTROY are not listed: unknown, so untrusted.
  triggers: { TRACKED: 'push', PROPOSED: 'pull_request', TASK: 'interactive' },
  workloadLeaf: 'project.id',
  workloadReusable: true,
  bindsRefOrEnvironment: false,
  advice: [
    { leaves: ['workflow.uri'], says: 'bind workflow.uri: stack, or a module of the same name has this grant' },
    { leaves: ['trigger.raw', 'trigger.class'], says: 'bind trigger.raw: TRACKED' },
  ],
}
