// Jenkins, OpenID Connect Provider plugin (issuers.md §2.7, T12). Only iss and sub are used: other claims come from templates
// over build variables (SECURITY-3574). sub is the job's URL, a name that can be reused. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isHttpsIssuer } from './issuer-forms.ts'
import { claim, runnerUnknown, typed } from './leaf-sources.ts'

export const jenkins: Provider = {
  name: 'jenkins',
  title: 'Jenkins (OpenID Connect Provider plugin)',
  issuer: {
    owns: () => false,
    accepts: isHttpsIssuer,
    shared: () => false,
    form: 'https://JENKINS/oidc, https://JENKINS/oidc/job/<folder>, or the custom issuer of the credential',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'configured',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': { issuer: true, mutability: 'immutable' },
    'project.id': claim('sub', 'reusable'),
    'workflow.uri': claim('sub', 'reusable'),
    'run.id': typed('build_number', 'number', 'per_run'),
    'runner.class': runnerUnknown,
  },
  triggers: null,
  // A multibranch project builds pull requests, forks included, as jobs named PR-<n>.
  untrusted: (_leaves, claims) => /\/PR-/i.test(String(claimAt(claims, ['sub']))),
  workloadLeaf: 'project.id',
  workloadReusable: true,
  bindsRefOrEnvironment: false,
  advice: [],
}
