// Semaphore (issuers.md §2.16, T16). `aud` is the issuer, the same for every relying party: once, 120 s. The `branch` of a pull
// request is its TARGET, so only `ref` and `ref_type` are read; a debug job is a shell a person holds. Pure.
import { claimAt } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok } from '../domain/result.ts'
import { claim, derived, refNameOf } from './leaf-sources.ts'

const OWN = /^https:\/\/[^/]+\.semaphoreci\.com(?:\/|$)/
const ORGANIZATION = /^https:\/\/([a-z0-9][a-z0-9-]*)\.semaphoreci\.com$/
const PULL_REQUEST = /^pull[-_]request$/

/** The kind of the ref; any one sign of a pull request is enough. */
const refTypeOf = (type: string | null, pullRequest: string | null, ref: string | null): string | null =>
  pullRequest !== null || PULL_REQUEST.test(type ?? '') || ref?.startsWith('refs/pull/') ? 'pull_request' : type

/** What started the job: the kind of a job outside pipelines, pull-request, or the first letter of `trg` (`h:f-i:t`: a hook). */
const triggerOf = (job: string | null, refType: string | null, trg: string | null): string | null => {
  if (job !== 'pipeline_job') return job
  return refType === 'pull_request' ? 'pull-request' : (/^([a-z]):[tf]-[a-z]:[tf]$/.exec(trg ?? '')?.[1] ?? null)
}

export const semaphore: Provider = {
  name: 'semaphore',
  title: 'Semaphore',
  issuer: {
    owns: (iss) => OWN.test(iss),
    accepts: (iss) => ORGANIZATION.test(iss),
    shared: () => false,
    form: 'https://<organization>.semaphoreci.com',
  },
  algorithms: ['RS256'],
  maxAgeSeconds: 120,
  replay: 'once',
  audience: 'fixed',
  fixedAudience: (iss) => iss,
  defaultAudiences: (aud) => OWN.test(aud),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': claim('org_id', 'immutable'),
    'org.name': claim('org', 'reusable'),
    'project.id': claim('prj_id', 'immutable'),
    'project.path': claim('repo_slug', 'reusable'),
    'ref.full': claim('ref', 'mutable'),
    'ref.type': derived(['ref_type', 'pr', 'ref'], 'mutable', (type = null, pr = null, ref = null) =>
      refTypeOf(type, pr, ref),
    ),
    'ref.name': derived(['ref'], 'mutable', (ref = null) => refNameOf(ref)),
    'trigger.raw': derived(
      ['job_type', 'ref_type', 'pr', 'ref', 'trg'],
      'mutable',
      (job = null, type = null, pr = null, ref = null, trg = null) => triggerOf(job, refTypeOf(type, pr, ref), trg),
    ),
    // ppl_id names one run of a pipeline, not its definition: no workflow leaf is made of it.
    'run.id': claim('wf_id', 'per_run'),
    'run.job': claim('job_id', 'per_run'),
    // An organization may filter claims out: a job that does not say it is of a pipeline may be a shell (A32).
    'runner.class': derived(['job_type'], 'mutable', (job = null) =>
      job === 'pipeline_job' ? 'unknown' : 'interactive',
    ),
  },
  triggers: {
    h: 'push',
    s: 'schedule',
    m: 'manual',
    a: 'api',
    'pull-request': 'pull_request',
    debug_job: 'interactive',
    project_debug_job: 'interactive',
  },
  // Without its type a ref may be that of a pull request.
  untrusted: (leaves) => leaves['ref.type'] !== 'branch' && leaves['ref.type'] !== 'tag',
  // One key signs for all organizations: the issuer of one must not carry the name of another (A15).
  check: (claims, iss) => {
    const actual = claimAt(claims, ['org'])
    return actual === null || actual === ORGANIZATION.exec(iss)?.[1]
      ? ok(null)
      : refuse('claim_invalid', { claim: 'org', expected: 'the organization in iss' })
  },
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: true,
  advice: [
    {
      leaves: ['org.id'],
      says: 'bind the organization id (or set org_id): the name in the issuer can be given up and taken by others',
    },
    { leaves: ['ref.type'], says: 'bind ref.type: branch or tag' },
    { leaves: ['trigger.class', 'trigger.raw'], says: 'bind the triggers that may use this grant' },
  ],
}
