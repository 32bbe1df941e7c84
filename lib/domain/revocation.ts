// The revocation kinds, in one table (design §3): the command line, the grant record, what mint reads, introspection and
// the feed are generated from it. Grants are records; revocations are predicates over them. Pure.
import type { GrantRecord } from './grant-record.ts'
import { LIMITS } from './limits.ts'

/**
 * `flag`: the option of `mintmark revoke`. `form`: 'block' always, or a cut with --cut. `scoped`: named with its issuer.
 * `wide`: it names many at once; there are few of these, and storms are of the others.
 */
export const REVOCATION_KINDS = {
  credential: { flag: 'jti', always: 'block', scoped: false, wide: false, says: 'one credential, by its jti' },
  assertion: {
    flag: 'assertion',
    always: 'block',
    scoped: false,
    wide: false,
    says: 'one piece of evidence, by its replay key',
  },
  subject: { flag: 'sub', always: null, scoped: false, wide: false, says: 'one identity, by its SPIFFE ID' },
  run: { flag: 'run', always: 'block', scoped: true, wide: false, says: 'one run of a platform' },
  project: { flag: 'project', always: null, scoped: true, wide: true, says: 'one project of a platform' },
  actor: { flag: 'actor', always: null, scoped: true, wide: false, says: 'who triggered the run' },
  issuer: { flag: 'issuer', always: null, scoped: false, wide: true, says: 'everything an issuer attested' },
  issuer_key: { flag: 'issuer-key', always: 'block', scoped: true, wide: true, says: 'one signing key of an issuer' },
  own_key: { flag: 'own-key', always: 'block', scoped: false, wide: true, says: 'one signing key of ours' },
  grant: { flag: 'grant', always: null, scoped: false, wide: true, says: 'everything a grant allowed' },
  session: { flag: 'session', always: null, scoped: false, wide: false, says: 'one cloud session' },
  tenant: { flag: 'all', always: null, scoped: false, wide: true, says: 'everything of the tenant' },
} as const satisfies Record<
  string,
  { flag: string; always: 'block' | null; scoped: boolean; wide: boolean; says: string }
>

export type RevocationKind = keyof typeof REVOCATION_KINDS

/** What a credential can be revoked by. `issuer` is the name in the tenant document, '' where the kind is not scoped. */
export type Selector = { readonly kind: RevocationKind; readonly issuer: string; readonly value: string }

export type Revocation = Selector & {
  readonly id: string
  readonly tenant: string
  /** block: nothing is issued or accepted until an unblock. cut: what was issued before notBefore is dead. */
  readonly form: 'block' | 'cut'
  readonly notBeforeSeconds: number | null
  readonly reason: string
  readonly by: string
  readonly atSeconds: number
}

/** The facts of one credential from which its selectors follow. null: the kind does not apply to it. */
export type RevocableFacts = {
  readonly jti: string
  readonly replayKey: string
  readonly subject: string | null
  readonly issuerName: string
  readonly issuerKid: string | null
  readonly ownKid: string | null
  readonly grant: string | null
  readonly run: string | null
  readonly project: string | null
  readonly actor: string | null
  readonly session: string | null
  readonly tenant: string
  /** jti of each ancestor, nearest first (depth <= 3). */
  readonly ancestors: readonly string[]
}

const VALUE_OF: { readonly [kind in RevocationKind]: (facts: RevocableFacts) => string | null } = {
  credential: (f) => f.jti,
  assertion: (f) => f.replayKey,
  subject: (f) => f.subject,
  run: (f) => f.run,
  project: (f) => f.project,
  actor: (f) => f.actor,
  issuer: (f) => f.issuerName,
  issuer_key: (f) => f.issuerKid,
  own_key: (f) => f.ownKid,
  grant: (f) => f.grant,
  session: (f) => f.session,
  tenant: (f) => f.tenant,
}

const KINDS = Object.keys(REVOCATION_KINDS) as readonly RevocationKind[]

/** One selector for each kind that applies, then the credential row of every ancestor. What mint reads, what `rh` names. */
export const selectorsOf = (facts: RevocableFacts): Selector[] => {
  const selectors: Selector[] = []
  for (const kind of KINDS) {
    const value = VALUE_OF[kind](facts)
    if (value === null) continue
    selectors.push({ kind, issuer: REVOCATION_KINDS[kind].scoped ? facts.issuerName : '', value })
  }
  for (const jti of facts.ancestors) selectors.push({ kind: 'credential', issuer: '', value: jti })
  return selectors
}

/** Whether a revocation hits a credential issued at `issuedAtSeconds`. A cut spares what is issued at or after its bound. */
export const hits = (revocation: Revocation, issuedAtSeconds: number): boolean =>
  revocation.form === 'block' || issuedAtSeconds < (revocation.notBeforeSeconds ?? Number.POSITIVE_INFINITY)

/**
 * The end of what a revocation ends that is written at `atSeconds`: a mint that read before that row may still sign within its
 * deadline, by a clock at most 30 s ahead.
 */
export const deadBefore = (atSeconds: number): number =>
  atSeconds + Math.ceil(LIMITS.mintDeadlineMs / 1000) + LIMITS.cutMarginSeconds

/** What a record can be revoked by: the facts mint had when it wrote it. */
export const factsOfRecord = ({ tenant, grant, evidence, wid, credential }: GrantRecord): RevocableFacts => ({
  jti: credential.jti,
  replayKey: evidence.replayKey,
  subject: credential.sub,
  issuerName: evidence.issuerName,
  issuerKid: evidence.kid,
  ownKid: credential.kid,
  grant,
  run: textOf(wid['run.id']),
  project: textOf(wid['project.id']),
  actor: textOf(wid['actor.id']),
  session: credential.session?.sourceIdentity ?? null,
  tenant,
  ancestors: credential.ancestors,
})

const textOf = (leaf: string | boolean | null | undefined): string | null => (typeof leaf === 'string' ? leaf : null)
