// Cost per exchange as tenants and stored records grow: a broker of each size in turn, each against the floor in the same
// run, compared by CPU per exchange over the floor's (which survives preemption and drift).
import { join } from 'node:path'
import { AUDIENCE, startBroker, tokenUrl } from './broker.ts'
import { fillRecords } from './fill-records.ts'
import type { LoadGenerator } from './load.ts'
import { type IssuerKey, presign, supplyBodies } from './presign.ts'
import { writeTenants } from './tenants.ts'
import { sandwich, type Target, type TargetReport } from './windows.ts'

export type ScalePoint = {
  readonly tenants: number
  readonly records: number
  readonly report: TargetReport | null
  readonly startMs: number | null
  readonly note: string
}

export type ScalePlan = {
  readonly tenants: readonly number[]
  readonly records: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly bodies: number
}

const BASE_TENANTS = 10

type Bench = {
  readonly generator: LoadGenerator
  readonly floor: Target
  readonly key: IssuerKey
  readonly dir: string
}

const onePoint = async (bench: Bench, tenants: number, records: number, plan: ScalePlan): Promise<ScalePoint> => {
  const name = `scale-${tenants}-${records}`
  const dataDir = join(bench.dir, `${name}-data`)
  const tenantsDir = join(bench.dir, `${name}-tenants`)
  writeTenants(tenantsDir, tenants, bench.key.jwks)
  if (records > 0 && !(await fillRecords(dataDir, records))) {
    return { tenants, records, report: null, startMs: null, note: 'skipped: fillRecords is not adapted to the store' }
  }
  const broker = await startBroker(tenantsDir, dataDir)
  try {
    const bodies = supplyBodies(() => presign(bench.key, AUDIENCE, join(bench.dir, 'scale.bodies'), plan.bodies))
    const target: Target = { name, url: tokenUrl(broker), pid: broker.pid, fresh: true, suffix: '' }
    const reports = await sandwich(bench.generator, bench.floor, [target], bodies, plan)
    return { tenants, records, report: reports[1] ?? null, startMs: broker.startMs, note: '' }
  } finally {
    await broker.stop()
  }
}

/** One point after another; one that fails says why and does not end the run. */
export const measureScale = async (bench: Bench, plan: ScalePlan): Promise<readonly ScalePoint[]> => {
  const points: ScalePoint[] = []
  const sizes = [
    ...plan.tenants.map((tenants) => ({ tenants, records: 0 })),
    ...plan.records.map((records) => ({ tenants: BASE_TENANTS, records })),
  ]
  for (const { tenants, records } of sizes) {
    try {
      points.push(await onePoint(bench, tenants, records, plan))
    } catch (error) {
      points.push({ tenants, records, report: null, startMs: null, note: `failed: ${String(error).slice(0, 200)}` })
    }
  }
  return points
}
