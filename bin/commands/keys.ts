// `mintmark keys list|rotate|taint`: a tenant's own signing keys, in the data directory, beside a running broker or not, or at a
// broker over HTTP.
import { userInfo } from 'node:os'
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createKeyOrders } from '../../lib/adapters/sqlite/change-feed.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { KeyRequest } from '../../lib/domain/admin-request.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RefusalKind } from '../../lib/domain/refusal.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import { administerKeys, type KeyAdminAnswer, type KeyAdminPorts } from '../../lib/flows/keys/administer-keys.ts'
import type { TimeMark } from '../../lib/ports/grant-store.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { type OpenStore, openStore } from '../embedded/open-store.ts'
import { AFAR_HELP, AFAR_OPTIONS, type Afar, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark keys list (--tenant T --data DIR | --tenant-url URL --token-file F)
       mintmark keys rotate (--tenant T --data DIR | --tenant-url URL --token-file F)
       mintmark keys taint KID --reason TEXT (--tenant T --data DIR | --tenant-url URL --token-file F)

${AFAR_HELP}
list    states: prepared (published) -> active (signs) -> retiring (published) -> retired; tainted
rotate  publish successors now; they begin to sign ${LIMITS.keyPublicationDelaySeconds} s later, when every cache has seen them. Run again, or
        leave it to the running broker, to activate what is due.
taint   a key is no longer trusted: what it signed is revoked, it leaves the key set, a successor signs at once

Exit: 0 done, 1 there is no such tenant or key, 2 wrong usage, 3 unavailable.
`

const SAYS: Readonly<Partial<Record<RefusalKind, string>>> = {
  clock_untrusted: 'no key is made or moved while the clock is behind what the store has seen',
  signing_key_unavailable: 'a key does not open with this master key',
}

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenant: { type: 'string' },
    data: { type: 'string' },
    reason: { type: 'string' },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const asked = requestOf(positionals, values.reason)
  const afar = readAfar(values)
  const tenant = afar?.tenant ?? required(values.tenant, 'tenant')
  if (afar === null) return beside(required(values.data, 'data'), tenant, asked, { io, isJson: values.json ?? false })
  const answered = await ask(afar, asked)
  if (!answered.ok) return reportProblem(io, 'keys', answered.problem, values.json)
  return show(answered.value as unknown as KeyAdminAnswer, { tenant, io, isJson: values.json ?? false })
}

const requestOf = ([verb, kid, ...more]: readonly string[], reason: string | undefined): KeyRequest => {
  const isComplete = verb === 'taint' ? kid !== undefined : kid === undefined && (verb === 'list' || verb === 'rotate')
  if (!isComplete || more.length > 0) throw new UsageError('keys takes list, rotate or taint KID')
  if (verb === 'taint') return { kind: 'taint_key', kid: kid ?? '', reason: required(reason, 'reason') }
  return { kind: verb === 'list' ? 'keys' : 'rotate_keys' }
}

const ask = ({ call }: Afar, asked: KeyRequest) => {
  if (asked.kind === 'keys') return call('admin/keys')
  if (asked.kind === 'rotate_keys') return call('admin/keys/rotate', {})
  return call(`admin/keys/${encodeURIComponent(asked.kid)}/taint`, { reason: asked.reason })
}

type Shown = { readonly io: Io; readonly isJson: boolean }

const beside = async (dataDir: string, tenant: string, asked: KeyRequest, { io, isJson }: Shown): Promise<number> => {
  const opened = openStore({
    dataDir,
    dev: null,
    masterKey: io.env['MINTMARK_MASTER_KEY'],
    isMasterKeyLost: asked.kind !== 'rotate_keys',
  })
  if (!opened.ok) return reportProblem(io, 'keys', { kind: 'unavailable', says: opened.problem }, isJson)
  const mark = startTimeMark(opened.store.database)
  try {
    const answer = await administerKeys(portsOf(opened.store, mark), { tenant, by: userInfo().username }, asked)
    return show(answer, { tenant, io, isJson })
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    const says = `${SAYS[error.kind] ?? 'the store is unavailable'}; what was done stands, run it again`
    return reportProblem(io, 'keys', { kind: 'unavailable', says }, isJson)
  } finally {
    await mark.close()
    opened.store.database.close()
  }
}

const portsOf = ({ database, vault }: OpenStore, mark: TimeMark): KeyAdminPorts => {
  const store = createSigningKeyStore(database)
  return {
    store,
    maker: createKeyMaker(vault),
    activation: createKeyActivation({ store, prover: createKeyProver(vault), clock: systemClock }),
    clock: systemClock,
    clockGuard: createClockGuard(systemClock, mark),
    ring: null,
    ids: createIds(systemClock),
    revoke: createRevocationStore(database).put,
    orders: createKeyOrders(database),
  }
}

const show = (answer: KeyAdminAnswer, { tenant, io, isJson }: Shown & { readonly tenant: string }): number => {
  if (answer.kind !== 'keys') {
    const says = answer.kind === 'refused' ? answer.says : `tenant "${tenant}" has no such key, or none at all`
    return reportProblem(io, 'keys', { kind: 'refused', says }, isJson)
  }
  const { moves, keys } = answer
  if (isJson) io.stdout.write(`${JSON.stringify({ tenant, moves, keys }, null, 2)}\n`)
  else {
    for (const { kind, kid: moved } of moves) io.stdout.write(`${kind.padEnd(10)} ${moved}\n`)
    if (moves.length > 0) io.stdout.write('\n')
    for (const key of keys)
      io.stdout.write(
        `${key.state.padEnd(9)} ${key.alg} ${key.use} ${key.kid} since ${new Date((key.activatedAtSeconds ?? key.createdAtSeconds) * 1000).toISOString()}\n`,
      )
  }
  return 0
}
