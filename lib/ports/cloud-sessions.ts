// Sessions of cloud roles. Obligations of every implementation:
// - a session is of the role, the name and the length that were asked for, or there is none: never another identity;
// - a lasting refusal is a value (`cloud_refused`); a throttle, an outage, a clock that disagrees or an answer that cannot be
//   told is Unavailable('cloud_unavailable'); nothing is tried with other credentials or another role;
// - credentials and tokens are in no error and no log.
import type { CloudSession } from '../domain/aws-session.ts'
import type { Result } from '../domain/result.ts'
import type { DeniedRole, SessionDenial } from '../domain/session-denial.ts'

export type SessionOrder = {
  /** ARN, from the tenant's document. */
  readonly role: string
  readonly sessionName: string
  readonly durationSeconds: number
}

export interface WebIdentitySessions {
  /** With a token of ours, in which identity, tags and the one role are signed. Needs no credentials of the cloud. */
  open(order: SessionOrder & { readonly token: string }): Promise<Result<CloudSession>>
}

export interface AssumedRoleSessions {
  /**
   * With the broker's own credentials and the tenant's external id, once the role is known to refuse the same call without
   * one: `cloud_trust_open` where it does not, for then it trusts the broker on behalf of anybody (the confused deputy).
   */
  open(
    order: SessionOrder & {
      readonly externalId: string
      readonly sourceIdentity: string
      readonly tags: Readonly<Record<string, string>>
      readonly transitiveTags: readonly string[]
    },
  ): Promise<Result<CloudSession>>
}

export type CloudSessions = {
  readonly webIdentity: WebIdentitySessions
  /** null: this broker has no credentials of the cloud. */
  readonly assumedRole: AssumedRoleSessions | null
}

export interface SessionDenials {
  /**
   * Ends live sessions of roles of this tenant, and of no other's: one outcome a role. Under one `id` there is one denial for
   * good; again, it does nothing. What it put on a role it can neither change nor take off. The cloud needs some seconds before
   * every one of its services knows. Throws Unavailable: some roles may have it and some not; safe to repeat.
   */
  deny(order: SessionDenial & { readonly tenant: string; readonly id: string }): Promise<readonly DeniedRole[]>
}
