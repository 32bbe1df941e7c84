// Which sinks the deployment on AWS delivers to, what is said of the others when a document is applied there, and which URLs it
// signs for. Pure.
import type { SinkRule } from '../domain/tenant-config.ts'
import { webhookTarget } from './message-signature.ts'

/** Those that deliver speaks to: all but a file, which only an embedded broker has. */
export type RuleOnAws = Exclude<SinkRule, { readonly type: 'jsonl' }>

export const isOnAws = (rule: SinkRule): rule is RuleOnAws => rule.type !== 'jsonl'

/** Of sinks that nothing is written to there. `document`: canonical JSON of one that passed every check. */
export const sinksNotOnAws = (tenant: string, document: string): readonly string[] =>
  Object.entries(sinksIn(document)).flatMap(([name, { type }]) =>
    type === 'jsonl'
      ? [`${tenant}: the sink ${name} is a file of an embedded broker: on AWS nothing is written to it`]
      : [],
  )

/**
 * URLs of the webhooks among the sinks of a stored document, as they go on the wire. Read without the schemas and presets of a
 * whole document, which would weigh more than all else in the function that signs: it calls no address, it compares.
 */
export const webhooksIn = (document: string): readonly string[] =>
  Object.values(sinksIn(document)).flatMap(({ type, url }) =>
    type === 'webhook' && url !== undefined ? [webhookTarget(url)] : [],
  )

type Sinks = Readonly<Record<string, { readonly type: string; readonly url?: string }>>

const sinksIn = (document: string): Sinks => (JSON.parse(document) as { readonly sinks?: Sinks }).sinks ?? {}
