// Credentials this AWS gave out and whom they stand for: the execution role of a function, a session its STS made, or the
// account's root user, who sets the stage for tests and is neither judged nor recorded.
import { randomBytes } from 'node:crypto'
import { type Cloud, findRole, nameOf, type Role } from './cloud.ts'
import type { Context } from './condition.ts'
import type { Principal } from './decision.ts'

export type Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
}

export type Session = Principal & {
  readonly role: string
  readonly sessionName: string
  readonly issuedMs: number
  readonly expiresMs: number
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
  /** Only on credentials Lambda itself hands to a function; a role assumed from there no longer has it. */
  readonly sourceFunctionArn?: string
  /** The function that holds the session, and whose network its requests go through. */
  readonly from?: string
  /** ARN of the identity provider whose token made this session. */
  readonly federatedProvider?: string
}

export type Caller =
  | { readonly kind: 'root'; readonly arn: string }
  | { readonly kind: 'session'; readonly session: Session }

type Issued = { readonly credentials: Credentials; readonly caller: Caller }

export class Sessions {
  readonly #cloud: () => Cloud
  readonly #issued = new Map<string, Issued>()
  constructor(cloud: () => Cloud) {
    this.#cloud = cloud
  }

  find(accessKeyId: string): Issued | undefined {
    return this.#issued.get(accessKeyId)
  }

  issueRoot(): Credentials {
    const { account } = this.#cloud()
    const arn = `arn:aws:iam::${account}:root`
    return this.#issue({ kind: 'root', arn }, Date.UTC(9999, 0))
  }

  issue(session: Session): Credentials {
    return this.#issue({ kind: 'session', session }, session.expiresMs)
  }

  #issue(caller: Caller, expiresMs: number): Credentials {
    const credentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(96).toString('base64'),
      expiration: new Date(expiresMs),
    }
    this.#issued.set(credentials.accessKeyId, { credentials, caller })
    return credentials
  }
}

/** `arn:aws:sts::A:assumed-role/NAME/SESSION`: the path of the role is not in it. */
export const sessionArn = (role: Role, sessionName: string): string =>
  `arn:aws:sts::${role.arn.split(':')[4]}:assumed-role/${nameOf(role.arn)}/${sessionName}`

/** Keys every request of a session carries (IAM User Guide, "Properties of the principal"). */
export const sessionContext = (cloud: Cloud, session: Session): Context => {
  const role = findRole(cloud, session.role)
  if (role === undefined) throw new Error(`no role ${session.role}`)
  const context: Record<string, string> = {
    'aws:PrincipalArn': role.arn,
    'aws:PrincipalAccount': role.arn.split(':')[4]!,
    'aws:PrincipalType': 'AssumedRole',
    'aws:userid': `${role.roleId}:${session.sessionName}`,
    'aws:TokenIssueTime': new Date(session.issuedMs).toISOString(),
  }
  if (session.sourceIdentity !== undefined) context['aws:SourceIdentity'] = session.sourceIdentity
  if (session.sourceFunctionArn !== undefined) context['lambda:SourceFunctionArn'] = session.sourceFunctionArn
  if (session.federatedProvider !== undefined) context['aws:FederatedProvider'] = session.federatedProvider
  // A session tag overrides a tag of the role with the same key.
  for (const [key, value] of Object.entries({ ...role.tags, ...session.tags }))
    context[`aws:PrincipalTag/${key}`] = value
  return context
}
