// What one emulated service is to the server: it names the permissions a call needs, and serves it once they are granted.
import type { Answer } from './answer.ts'
import type { AwsCall } from './call.ts'
import { accountOf, type Cloud, findResource, findRole } from './cloud.ts'
import type { Context } from './condition.ts'
import type { Principal } from './decision.ts'
import type { Caller } from './sessions.ts'

/** A permission a call needs. `context` holds only the keys of the service itself; the server adds all others. */
export type Ask = {
  readonly action: string
  readonly resource: string
  readonly context: Context
  /** Who asks, where it is not the signer: the identity provider behind a web identity token. */
  readonly principal?: Principal
}

export interface Service {
  /** Every permission the call needs; it is served when all are granted. Throws AwsError for a call it cannot even read. */
  asks(call: AwsCall, caller: Caller | null): readonly Ask[] | Promise<readonly Ask[]>
  /** Throws AwsError for what AWS refuses for other reasons than permission. */
  serve(call: AwsCall, caller: Caller | null): Answer | Promise<Answer>
  /** Operations that carry their proof in the body and are not signed. */
  readonly unsigned?: readonly string[]
}

/** Keys that come from the resource: its tags and its account. Tags of a role are also under `iam:ResourceTag`. */
export const resourceContext = (cloud: Cloud, resource: string): Context => {
  const context: Record<string, string> = {}
  const role = findRole(cloud, resource)
  for (const [key, value] of Object.entries(role?.tags ?? findResource(cloud, resource)?.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = value
    if (role !== undefined) context[`iam:ResourceTag/${key}`] = value
  }
  context['aws:ResourceAccount'] = accountOf(resource) || cloud.account
  return context
}
