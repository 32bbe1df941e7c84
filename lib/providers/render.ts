// Render services (issuers.md §2.15). All a token says is in `sub`, which is made of ids: `workspace:tea-…:environment:evm-…:
// service:srv-…`. `aud` is that of AWS, so every AWS account that trusts the workspace could show it to us: once, 120 s. A
// preview is a service with an id of its own. Pure.
import { claimAt } from '../domain/claims.ts'
import type { LeafSource, Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, isOnHost } from './issuer-forms.ts'
import { derived } from './leaf-sources.ts'

const ISSUER = /^https:\/\/oidc\.render\.com\/(tea-[a-z0-9]+)$/
const AUDIENCE = 'sts.amazonaws.com'

/** A service in no environment has the environment `default`. */
const SUB = /^workspace:(tea-[a-z0-9]+):environment:(evm-[a-z0-9]+|default):service:((?:srv|crn)-[a-z0-9]+)$/

const partOfSub = (index: 1 | 2 | 3): LeafSource =>
  derived(['sub'], 'immutable', (sub = null) => SUB.exec(sub ?? '')?.[index] ?? null)

export const render: Provider = {
  name: 'render',
  title: 'Render',
  issuer: {
    owns: (iss) => isOnHost(iss, 'oidc.render.com'),
    accepts: (iss) => ISSUER.test(iss),
    shared: () => false,
    form: 'https://oidc.render.com/<workspace-id>',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 120,
  replay: 'once',
  audience: 'fixed',
  fixedAudience: () => AUDIENCE,
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': partOfSub(1),
    'project.id': partOfSub(3),
    'environment.id': partOfSub(2),
    'runner.class': { fixed: 'hosted', mutability: 'mutable' },
  },
  triggers: null,
  check: (claims, iss) => {
    const sub = claimAt(claims, ['sub'])
    const workspace = typeof sub === 'string' ? SUB.exec(sub)?.[1] : undefined
    return workspace !== undefined && workspace === ISSUER.exec(iss)?.[1]
      ? ok(null)
      : refuse('claim_invalid', {
          claim: 'sub',
          expected: 'workspace:<the one in iss>:environment:<id>:service:<id>',
        })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [],
}
