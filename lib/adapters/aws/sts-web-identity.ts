// AssumeRoleWithWebIdentity, the one call of AWS that needs no credentials of AWS: so it needs no SDK either, and goes through
// the guarded client like everything else the broker sends (AWS query protocol, STS API 2011-06-15).
import { assumedRoleArn, type CloudSession, refusedBySts } from '../../domain/aws-session.ts'
import { LIMITS } from '../../domain/limits.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { SessionOrder, WebIdentitySessions } from '../../ports/cloud-sessions.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'

export type StsWebIdentityOptions = {
  readonly http: Pick<OutboundHttp, 'post'>
  /** Region whose endpoint is asked; null: us-east-1. What a regional endpoint gives is good in every region. */
  readonly region: string | null
  /** Another endpoint for all partitions: an emulator, a VPC endpoint. */
  readonly endpoint?: string
}

/** STS says 400 and 403 with a code in the body; of that code only one we know is kept. */
const STATUSES = [200, 400, 403] as const

export const createStsWebIdentity = ({ http, region, endpoint }: StsWebIdentityOptions): WebIdentitySessions => ({
  async open(order) {
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: order.role,
      RoleSessionName: order.sessionName,
      DurationSeconds: String(order.durationSeconds),
      WebIdentityToken: order.token,
    })
    const answer = await http.post(
      endpoint ?? stsEndpoint(order.role, region),
      { contentType: 'application/x-www-form-urlencoded; charset=utf-8', text: form.toString() },
      {
        expect: 'any',
        statuses: STATUSES,
        bodyBytesMax: LIMITS.stsAnswerBytesMax,
        connectMs: LIMITS.stsConnectMs,
        totalMs: LIMITS.stsCallMs,
      },
    )
    if (!answer.ok) throw new Unavailable('cloud_unavailable')
    const xml = new TextDecoder().decode(answer.response.body)
    return answer.response.status === 200 ? ok(sessionOf(xml, order)) : refusalOf(xml)
  },
})

const REGIONS: Readonly<Record<string, readonly [pattern: RegExp, otherwise: string, suffix: string]>> = {
  aws: [/^(?!cn-|us-gov-)[a-z]{2}-[a-z]+-\d$/, 'us-east-1', 'amazonaws.com'],
  'aws-cn': [/^cn-[a-z]+-\d$/, 'cn-north-1', 'amazonaws.com.cn'],
  'aws-us-gov': [/^us-gov-[a-z]+-\d$/, 'us-gov-west-1', 'amazonaws.com'],
}

/** By the partition of the role; a region of another partition knows nothing of it. */
const stsEndpoint = (role: string, region: string | null): string => {
  const [pattern, otherwise, suffix] = REGIONS[role.split(':')[1] ?? ''] ?? REGIONS['aws']!
  return `https://sts.${region !== null && pattern.test(region) ? region : otherwise}.${suffix}/`
}

const sessionOf = (xml: string, { role, sessionName }: SessionOrder): CloudSession => {
  const expiration = element(xml, 'Expiration')
  const expiresAtMs = Date.parse(expiration)
  // Asserted in pairs: the role and the name that were asked for, or nothing at all.
  if (element(xml, 'Arn') !== assumedRoleArn(role, sessionName) || Number.isNaN(expiresAtMs))
    throw new Unavailable('cloud_unavailable')
  return {
    accessKeyId: element(xml, 'AccessKeyId'),
    secretAccessKey: element(xml, 'SecretAccessKey'),
    sessionToken: element(xml, 'SessionToken'),
    expiresAtSeconds: Math.floor(expiresAtMs / 1_000),
    expiration,
  }
}

const refusalOf = (xml: string): Result<never> => {
  const code = refusedBySts(element(xml, 'Code'))
  if (code === null) throw new Unavailable('cloud_unavailable')
  return refuse('cloud_refused', { code })
}

/** The text of the one element of this name. None of the values we want needs an escape, so one that has any is refused. */
const element = (xml: string, name: string): string => {
  const [only, second] = [...xml.matchAll(new RegExp(`<${name}>([^<>&\\s]+)</${name}>`, 'g'))]
  if (only?.[1] === undefined || second !== undefined) throw new Unavailable('cloud_unavailable')
  return only[1]
}
