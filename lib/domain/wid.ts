// wid/1, the normalized identity (issuers.md §5.2): what every platform's claims become before anything is decided. Pure.

export const PROVIDERS = [
  'github',
  'gitlab',
  'circleci',
  'buildkite',
  'bitbucket',
  'azure_devops',
  'jenkins',
  'hcp_terraform',
  'spacelift',
  'gcp',
  'aws',
  'azure',
  'kubernetes',
  'spiffe',
  'forgejo',
  'vercel',
  'fly',
  'render',
  'semaphore',
  'codefresh',
  'generic',
] as const
export type ProviderName = (typeof PROVIDERS)[number]

export const TRIGGER_CLASSES = [
  'push',
  'release',
  'schedule',
  'manual',
  'api',
  'upstream',
  'pull_request',
  'privileged_fork',
  'interactive',
  'unknown',
] as const
export type TriggerClass = (typeof TRIGGER_CLASSES)[number]

/** Trigger classes under which foreign code may be running (issuers.md §5.4). */
export const UNTRUSTED_TRIGGERS: ReadonlySet<string> = new Set([
  'pull_request',
  'privileged_fork',
  'interactive',
  'unknown',
])

type Leaf = { readonly type: 'string' | 'boolean'; readonly values?: readonly string[]; readonly policy?: false }

/** Every leaf: its type, its closed list of values where it has one, and whether a grant may match on it at all. */
export const WID_LEAVES = {
  provider: { type: 'string', values: PROVIDERS },
  issuer: { type: 'string' },
  'org.id': { type: 'string' },
  'org.name': { type: 'string' },
  'project.id': { type: 'string' },
  'project.path': { type: 'string' },
  'job_project.id': { type: 'string' },
  'ref.full': { type: 'string' },
  'ref.type': { type: 'string', values: ['branch', 'tag', 'pull_request', 'other'] },
  'ref.name': { type: 'string' },
  'ref.protected': { type: 'boolean' },
  'environment.name': { type: 'string' },
  'environment.id': { type: 'string' },
  'environment.protected': { type: 'boolean' },
  'workflow.uri': { type: 'string' },
  'workflow.ref': { type: 'string' },
  'workflow.digest': { type: 'string' },
  'config.uri': { type: 'string' },
  'config.ref': { type: 'string' },
  'config.digest': { type: 'string' },
  commit: { type: 'string' },
  'trigger.raw': { type: 'string' },
  'trigger.class': { type: 'string', values: TRIGGER_CLASSES },
  untrusted_source: { type: 'boolean', policy: false },
  phase: { type: 'string', values: ['plan', 'apply', 'read', 'write'] },
  'run.id': { type: 'string', policy: false },
  'run.attempt': { type: 'string', policy: false },
  'run.job': { type: 'string', policy: false },
  'run.url': { type: 'string', policy: false },
  'actor.id': { type: 'string' },
  'actor.name': { type: 'string' },
  'runner.class': { type: 'string', values: ['hosted', 'self_hosted', 'interactive', 'unknown'] },
  'runner.id': { type: 'string' },
  'runner.pool': { type: 'string' },
  'instance.kind': { type: 'string' },
  'instance.id': { type: 'string' },
  'instance.image': { type: 'string' },
  visibility: { type: 'string', values: ['public', 'internal', 'private'] },
  assurance: { type: 'string', values: ['bearer', 'key_bound', 'sts_relay', 'hardware'], policy: false },
} as const satisfies Record<string, Leaf>

export type WidLeaf = keyof typeof WID_LEAVES
export type WidValue = string | boolean | null

/** One workload, normalized. Every leaf is present; null means the platform did not say, and null never matches. */
export type Wid = { readonly [leaf in WidLeaf]: WidValue }

export const WID_LEAF_NAMES = Object.keys(WID_LEAVES) as readonly WidLeaf[]

/**
 * An object with every leaf, to be copied by spreading and then filled: so it keeps one shape. Filled leaf by leaf from {}, an
 * engine makes it a hash table, and every read, copy and JSON text of it costs three times as much.
 */
const blank = <T extends null | undefined>(value: T): { readonly [leaf in WidLeaf]: T } => {
  const nulls = JSON.parse(JSON.stringify(Object.fromEntries(WID_LEAF_NAMES.map((leaf) => [leaf, null]))))
  if (value !== null) for (const leaf of WID_LEAF_NAMES) nulls[leaf] = value
  return nulls
}

const NOTHING_SAID = blank(null)
const NOTHING_KEPT = blank(undefined)

/** Every leaf null, to be filled. */
export const newWid = (): { [leaf in WidLeaf]: WidValue } => ({ ...NOTHING_SAID })

/** The leaves that are not null. */
export const presentLeaves = (wid: Wid): Partial<Record<WidLeaf, WidValue>> => {
  const present: Partial<Record<WidLeaf, WidValue>> = {}
  for (const leaf of WID_LEAF_NAMES) {
    const value = wid[leaf]
    if (value !== null) present[leaf] = value
  }
  return present
}

/** The same for what becomes JSON text and nothing else: the other leaves are undefined, which such a text leaves out. */
export const leavesForText = (wid: Wid): Partial<Record<WidLeaf, WidValue>> => {
  const present: { [leaf in WidLeaf]: WidValue | undefined } = { ...NOTHING_KEPT }
  // By `in`: an engine then knows where each member lies, and searches for none.
  for (const leaf in wid) {
    const value = wid[leaf as WidLeaf]
    if (value !== null) present[leaf as WidLeaf] = value
  }
  return present as Partial<Record<WidLeaf, WidValue>>
}

export const isWidLeaf = (name: string): name is WidLeaf => Object.hasOwn(WID_LEAVES, name)

/** How far a leaf can be trusted to go on naming the same thing (issuers.md §5.2). */
export type Mutability = 'immutable' | 'mutable' | 'reusable' | 'per_run' | 'caller'

/** Leaves a token carries in `wid` when the grant names none (design §6). */
export const WID_CLAIMS_DEFAULT: readonly WidLeaf[] = [
  'provider',
  'org.id',
  'project.id',
  'ref.full',
  'environment.name',
  'run.id',
]
