// Forgejo Actions from version 15 (issuers.md §2.17, T18). Its `sub` joins names and ids with a hyphen, which a name may
// contain (A4): only the id claims are used. No jti. Pure.
import type { Provider } from '../domain/provider.ts'
import { ACTIONS_EVENTS } from './actions-events.ts'
import { isCommonAudience, isHttpsIssuer, isOnHost } from './issuer-forms.ts'
import { claim, definition, derived, refNameOf, runnerUnknown, typed } from './leaf-sources.ts'

const CODEBERG = 'https://codeberg.org/api/actions'

const top = definition('workflow_ref', /^[^/]+\/[^/]+\/\.(?:forgejo|gitea|github)\/workflows\/[^/]+\.ya?ml$/)

export const forgejo: Provider = {
  name: 'forgejo',
  title: 'Forgejo Actions',
  issuer: {
    owns: (iss) => isOnHost(iss, 'codeberg.org'),
    accepts: (iss) =>
      iss === CODEBERG || (isHttpsIssuer(iss) && iss.endsWith('/api/actions') && !isOnHost(iss, 'codeberg.org')),
    shared: (iss) => iss === CODEBERG,
    form: 'https://HOST[/path]/api/actions',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 600,
  replay: 'once',
  audience: 'run',
  defaultAudiences: isCommonAudience,
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('repository_owner_id', 'immutable'),
    'org.name': claim('repository_owner', 'reusable'),
    'project.id': claim('repository_id', 'immutable'),
    'project.path': claim('repository', 'reusable'),
    'ref.full': claim('ref', 'mutable'),
    'ref.type': derived(['ref', 'ref_type'], 'mutable', (ref = null, type = null) =>
      ref?.startsWith('refs/pull/') ? 'pull_request' : type,
    ),
    'ref.name': derived(['ref'], 'mutable', (ref = null) => refNameOf(ref)),
    'ref.protected': typed('ref_protected', 'boolean-string', 'mutable'),
    'workflow.uri': top.uri,
    'workflow.ref': top.ref,
    'config.uri': top.uri,
    'config.ref': top.ref,
    commit: claim('sha', 'immutable'),
    'trigger.raw': claim('event_name', 'mutable'),
    'run.id': claim('run_id', 'per_run'),
    'run.attempt': claim('run_attempt', 'per_run'),
    'actor.id': claim('actor_id', 'immutable'),
    'actor.name': claim('actor', 'reusable'),
    'runner.class': runnerUnknown,
  },
  triggers: ACTIONS_EVENTS,
  untrusted: (leaves) => String(leaves['ref.full']).startsWith('refs/pull/'),
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    { leaves: ['org.id'], says: 'bind the owner id too, so that a transferred repository stops matching' },
    { leaves: ['ref.full'], says: 'bind the full ref: the platform has no environments' },
    { leaves: ['trigger.class', 'trigger.raw'], says: 'bind the events that may use this grant' },
  ],
}
