// What a broker is started with: the options of `mintmark serve`, and what only tests say.
import type { TraceEnvironment } from '../../lib/config/tracing.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import type { PushPorts } from '../../lib/flows/revocation/push-revocations.ts'
import type { AwsPlace } from './cloud-sessions.ts'
import type { OpsPlace } from './ops.ts'

export type BrokerOptions = {
  readonly tenantsDir: string
  readonly dataDir: string
  readonly port: number
  readonly host: string
  /** null: http://<host>:<port>. */
  readonly baseUrl: string | null
  readonly dev: boolean
  readonly hasLimits: boolean
  readonly trustedProxies: readonly string[]
  readonly egressAllow: readonly string[]
  readonly secretsDir: string
  readonly aws: AwsPlace
  /** Value of MINTMARK_MASTER_KEY. */
  readonly masterKey: string | undefined
  readonly warn: (line: string) => void
  /** Where metrics are served; left out: nowhere, and nothing is counted. */
  readonly ops?: OpsPlace
  /** OTEL_* variables; left out: nothing is traced. */
  readonly traceEnvironment?: TraceEnvironment
  readonly failpoint?: (
    name: Parameters<NonNullable<MintPorts['failpoint']> | NonNullable<PushPorts['failpoint']>>[0],
  ) => void
  /** Where the audit log is written: a thread of its own, or this one, for a broker that is bundled into one file; or not now. */
  readonly auditLog?: 'thread' | 'here' | 'off'
  /** Disk the logs may take; default LIMITS.auditBytesDefault. */
  readonly auditBytes?: number
  /** Where checkpoints are kept out of reach; default nowhere. */
  readonly anchors?: readonly string[]
}
