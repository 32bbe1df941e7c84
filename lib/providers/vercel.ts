// Vercel (issuers.md §2.15, T14). One key set signs for every team, so a signature says nothing about the team: owner_id is
// mandatory with either issuer. Preview runs unreviewed code; development tokens sit on laptops. Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isOnHost } from './issuer-forms.ts'
import { claim, derived } from './leaf-sources.ts'

const GLOBAL = 'https://oidc.vercel.com'
const TEAM = /^https:\/\/oidc\.vercel\.com\/[A-Za-z0-9][A-Za-z0-9_-]*$/

export const vercel: Provider = {
  name: 'vercel',
  title: 'Vercel',
  issuer: {
    owns: (iss) => isOnHost(iss, 'oidc.vercel.com'),
    accepts: (iss) => iss === GLOBAL || TEAM.test(iss),
    shared: () => true,
    form: `${GLOBAL}/<team-slug> or ${GLOBAL}`,
  },
  jwksUrl: () => `${GLOBAL}/.well-known/jwks`,
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'configured',
  defaultAudiences: (aud) => isCommonAudience(aud) || aud.startsWith('https://vercel.com/'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('owner_id', 'immutable'),
    'org.name': claim('owner', 'reusable'),
    'project.id': claim('project_id', 'immutable'),
    'project.path': claim('project', 'reusable'),
    'environment.name': claim('environment', 'mutable'),
    'run.id': claim('deployment_id', 'per_run'),
    'actor.id': claim('user_id', 'immutable'),
    'runner.class': derived(['environment'], 'mutable', (name = null) =>
      name === null ? null : name === 'development' ? 'interactive' : 'hosted',
    ),
  },
  triggers: null,
  // A token that names no environment may be a preview.
  untrusted: (leaves) => leaves['environment.name'] === 'preview' || leaves['environment.name'] === null,
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [{ leaves: ['environment.name'], says: 'bind environment.name: production' }],
}
