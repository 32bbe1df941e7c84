// Which sinks the deployment on AWS delivers to, and what is said of the others when a document is applied there. Pure.
import type { SinkRule } from '../domain/tenant-config.ts'

/** A document with one of `isRefused` is not applied; the others are for an embedded broker that reads the same document. */
const NOT_ON_AWS = {
  webhook: {
    isRefused: true,
    says: "is of type webhook, which is signed with the tenant's log key: no function on AWS has that key and a way out",
  },
  jsonl: { isRefused: false, says: 'is a file of an embedded broker: on AWS nothing is written to it' },
} as const

type Unserved = keyof typeof NOT_ON_AWS

/** Those that deliver speaks to: what is not signed, and no file. */
export type RuleOnAws = Exclude<SinkRule, { readonly type: Unserved }>

const isUnserved = (type: string): type is Unserved => Object.hasOwn(NOT_ON_AWS, type)

export const isOnAws = (rule: SinkRule): rule is RuleOnAws => !isUnserved(rule.type)

export type SinkNotOnAws = { readonly text: string; readonly isRefused: boolean }

/** `document`: canonical JSON of one that passed every check. */
export const sinksNotOnAws = (tenant: string, document: string): readonly SinkNotOnAws[] => {
  const { sinks = {} } = JSON.parse(document) as {
    readonly sinks?: Readonly<Record<string, { readonly type: string }>>
  }
  return Object.entries(sinks).flatMap(([name, { type }]) => {
    if (!isUnserved(type)) return []
    const { isRefused, says } = NOT_ON_AWS[type]
    return [{ text: `${tenant}: the sink ${name} ${says}`, isRefused }]
  })
}
