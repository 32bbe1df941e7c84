// `mintmark keys list|rotate|taint`: a tenant's own signing keys, in the data directory, beside a running broker or not.
import { userInfo } from 'node:os'
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { slotsInUse } from '../../lib/domain/key-rotation.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RefusalKind } from '../../lib/domain/refusal.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import { type AppliedMove, rotateKeys, taintKey } from '../../lib/flows/keys/rotate-keys.ts'
import type { TimeMark } from '../../lib/ports/grant-store.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { type OpenStore, openStore } from '../embedded/open-store.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark keys list --tenant T --data DIR
       mintmark keys rotate --tenant T --data DIR
       mintmark keys taint KID --tenant T --reason TEXT --data DIR

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
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [verb, kid, ...more] = positionals
  const isComplete = verb === 'taint' ? kid !== undefined : kid === undefined && (verb === 'list' || verb === 'rotate')
  if (!isComplete || more.length > 0) throw new UsageError('keys takes list, rotate or taint KID')
  const tenant = required(values.tenant, 'tenant')
  const reason = verb === 'taint' ? required(values.reason, 'reason') : ''
  const opened = openStore({
    dataDir: required(values.data, 'data'),
    dev: null,
    masterKey: io.env['MINTMARK_MASTER_KEY'],
  })
  if (!opened.ok) return reportProblem(io, 'keys', { kind: 'unavailable', says: opened.problem }, values.json)
  const mark = startTimeMark(opened.store.database)
  try {
    return await act(opened.store, mark, io, {
      verb: verb as string,
      tenant,
      kid: kid ?? '',
      reason,
      isJson: values.json ?? false,
    })
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    const says = `${SAYS[error.kind] ?? 'the store is unavailable'}; what was done stands, run it again`
    return reportProblem(io, 'keys', { kind: 'unavailable', says }, values.json)
  } finally {
    await mark.close()
    opened.store.database.close()
  }
}

type Order = {
  readonly verb: string
  readonly tenant: string
  readonly kid: string
  readonly reason: string
  readonly isJson: boolean
}

const act = async (
  { database, vault }: OpenStore,
  mark: TimeMark,
  io: Io,
  { verb, tenant, kid, reason, isJson }: Order,
): Promise<number> => {
  const store = createSigningKeyStore(database)
  const rows = await store.list(tenant)
  if (rows.length === 0) {
    const says = `there is no tenant "${tenant}" with keys here`
    return reportProblem(io, 'keys', { kind: 'refused', says }, isJson)
  }
  const ports = {
    store,
    maker: createKeyMaker(vault),
    activation: createKeyActivation({ store, prover: createKeyProver(vault), clock: systemClock }),
    clock: systemClock,
    clockGuard: createClockGuard(systemClock, mark),
    ring: null,
  }
  const needed = slotsInUse(rows)
  let moves: readonly AppliedMove[] = []
  if (verb === 'rotate') moves = await rotateKeys(ports, { tenant, needed, isForced: true })
  if (verb === 'taint') {
    const revoke = createRevocationStore(database).put
    const order = { tenant, kid, needed, reason, by: userInfo().username }
    const tainted = await taintKey({ ...ports, ids: createIds(systemClock), revoke }, order)
    if (tainted === null) {
      const says = `tenant "${tenant}" has no key ${JSON.stringify(kid)}`
      return reportProblem(io, 'keys', { kind: 'refused', says }, isJson)
    }
    moves = tainted.moves
  }
  const keys = (await store.list(tenant)).map((key) => ({
    kid: key.kid,
    alg: key.alg,
    use: key.use,
    state: key.state,
    createdAtSeconds: key.createdAtSeconds,
    activatedAtSeconds: key.activatedAtSeconds,
  }))
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
