// Fly.io machines (issuers.md §2.15, T15). The slug in `iss` and the names in `sub` can be reused; org_id and app_id cannot.
// Whoever may deploy to or open a shell in the app can mint. Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isOnHost } from './issuer-forms.ts'
import { claim, derived } from './leaf-sources.ts'

export const fly: Provider = {
  name: 'fly',
  title: 'Fly.io',
  issuer: {
    owns: (iss) => isOnHost(iss, 'oidc.fly.io'),
    accepts: (iss) => /^https:\/\/oidc\.fly\.io\/[A-Za-z0-9][A-Za-z0-9_-]*$/.test(iss),
    shared: () => false,
    form: 'https://oidc.fly.io/<org-slug>',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'run',
  defaultAudiences: (aud) => isCommonAudience(aud) || aud.startsWith('https://fly.io/'),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('org_id', 'immutable'),
    'org.name': claim('org_name', 'reusable'),
    'project.id': claim('app_id', 'immutable'),
    'project.path': claim('app_name', 'reusable'),
    'instance.kind': derived(['machine_id'], 'per_run', (id = null) => (id === null ? null : 'machine')),
    'instance.id': claim('machine_id', 'per_run'),
    'instance.image': claim('image_digest', 'immutable'),
  },
  triggers: null,
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [
    { leaves: ['org.id'], says: 'bind the organization id (or set org_id): the slug in the issuer can be renamed' },
    { leaves: ['instance.image'], says: 'bind the image digest where only reviewed images may use this grant' },
  ],
}
