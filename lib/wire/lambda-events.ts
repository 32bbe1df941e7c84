// The parts of Lambda's event shapes that we read: SQS batches and DynamoDB stream batches, and the answer to both. The
// embedded server makes the same shapes, so that one handler serves either host.

export type QueueRecord = {
  readonly messageId: string
  readonly body: string
  readonly attributes: {
    readonly ApproximateReceiveCount: string
    /** Who sent it, as the service saw. */
    readonly SenderId?: string
    /** The tenant, where the queue is fair. */
    readonly MessageGroupId?: string
  }
}

const URGENT = '.urgent'

/** The group of what is urgent of a tenant, on a queue that is fair by group: no flood of the tenant is in it. */
export const urgentGroup = (tenant: string): string => `${tenant}${URGENT}`

export const tenantOfGroup = (group: string): string =>
  group.endsWith(URGENT) ? group.slice(0, -URGENT.length) : group

export type QueueEvent = { readonly Records: readonly QueueRecord[] }

/** An attribute map in DynamoDB's JSON, as streams deliver it. */
export type StreamAttributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export type StreamRecord = {
  readonly eventID?: string
  readonly eventName?: string
  readonly eventSource?: string
  /** There when the service itself removed an expired row. */
  readonly userIdentity?: { readonly type?: string; readonly principalId?: string }
  readonly dynamodb?: {
    readonly Keys?: StreamAttributes
    /** Seconds since 1970, as the service counts. */
    readonly ApproximateCreationDateTime?: number
    readonly OldImage?: StreamAttributes
    readonly NewImage?: StreamAttributes
    readonly SequenceNumber?: string
  }
}
export type StreamEvent = { readonly Records: readonly StreamRecord[] }

/** ReportBatchItemFailures: of a queue those to deliver again, of a stream the first one to begin again with. */
export type BatchResponse = { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }

/** What infra/schedules.ts sends. */
export const SCHEDULED = { source: 'mintmark.schedule' } as const

export const isScheduled = (event: unknown): event is typeof SCHEDULED =>
  typeof event === 'object' && event !== null && 'source' in event && event.source === SCHEDULED.source
