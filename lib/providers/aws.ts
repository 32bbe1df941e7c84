// AWS outbound identity federation, sts:GetWebIdentityToken (issuers.md §2.11 a, T10). The account and the source are nested
// under one exact member; request_tags is whatever the caller wrote and is never read. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { isCommonAudience, UUID } from './issuer-forms.ts'
import { claim, derived } from './leaf-sources.ts'

const ISSUER = new RegExp(`^https://${UUID}\\.tokens\\.sts\\.global\\.api\\.aws$`)
/** With its trailing slash: a look-alike member is not it. */
const NESTED = 'https://sts.amazonaws.com/'
const nested = (name: string): readonly string[] => [NESTED, name]

const SOURCES = [nested('ec2_source_instance_arn'), nested('lambda_source_function_arn')]

export const aws: Provider = {
  name: 'aws',
  title: 'AWS outbound identity federation',
  issuer: {
    owns: (iss) => /^https:\/\/[^/]+\.tokens\.sts\.[^/]*\.aws(?:\/|$)/.test(iss),
    accepts: (iss) => ISSUER.test(iss),
    shared: () => false,
    form: 'https://<uuid>.tokens.sts.global.api.aws',
  },
  algorithms: ['RS256', 'ES384'],
  maxAgeSeconds: 300,
  replay: 'once',
  audience: 'run',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim(nested('aws_account'), 'immutable'),
    'project.id': claim('sub', 'reusable'),
    'actor.id': claim(nested('source_identity'), 'caller'),
    'instance.kind': derived(SOURCES, 'immutable', (vm = null, lambda = null) =>
      vm !== null ? 'vm' : lambda !== null ? 'function' : null,
    ),
    'instance.id': derived(SOURCES, 'immutable', (vm = null, lambda = null) => vm ?? lambda),
  },
  callerClaims: [nested('request_tags')],
  triggers: null,
  check: (claims) => {
    const account = claimAt(claims, nested('aws_account'))
    if (typeof account !== 'string' || !/^[0-9]{12}$/.test(account))
      return refuse('claim_invalid', { claim: `${NESTED}.aws_account`, expected: 'an account of 12 digits' })
    const sub = claimAt(claims, ['sub'])
    const named =
      typeof sub === 'string' ? /^arn:aws[a-z-]*:iam::([0-9]{12}):(?:role|user)\/.+$/s.exec(sub)?.[1] : undefined
    return named === account
      ? ok(null)
      : refuse('claim_invalid', { claim: 'sub', expected: 'the ARN of a role or user of that account' })
  },
  workloadLeaf: 'project.id',
  workloadReusable: true,
  bindsRefOrEnvironment: false,
  advice: [
    { leaves: ['org.id'], says: 'bind the account' },
    {
      leaves: ['instance.id'],
      says: 'bind the instance or function: a role that is deleted and made again has the same ARN',
    },
  ],
}
