// Any other OpenID Connect or JWKS issuer (issuers.md T20). The preset knows nothing: the tenant document says which claim
// fills which leaf, and which algorithm the issuer signs with. Pure.
import type { Provider } from '../domain/provider.ts'
import { isCommonAudience, isHttpsIssuer } from './issuer-forms.ts'

export const generic: Provider = {
  name: 'generic',
  title: 'Any OpenID Connect issuer',
  issuer: {
    owns: () => false,
    accepts: isHttpsIssuer,
    shared: () => false,
    form: 'an https URL that belongs to no other preset',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'configured',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {},
  triggers: null,
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [
    {
      leaves: ['org.id'],
      says: 'map and bind a claim that names the customer: the preset cannot know whether this issuer is shared',
    },
  ],
}
