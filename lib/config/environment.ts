// The only reader of the process environment on Lambda. Promises: each function gets exactly the names it declares, each in
// the form it must have, or it does not start; what is wrong is named, its value never is.

/** Every name infra/environment.ts may give, and what its value looks like. */
const FORMS = {
  MINTMARK_BASE_URL: /^(?:https:\/\/[a-z0-9.-]+|http:\/\/127\.0\.0\.1:\d+)$/,
  MINTMARK_CORE_TABLE: /^[\w.-]{3,255}$/,
  MINTMARK_LOG_TABLE: /^[\w.-]{3,255}$/,
  /** ARN of the function's data role: one session a tenant. */
  MINTMARK_DATA_ROLE: /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  MINTMARK_POOL_KEY: /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
  /** With the alias of the kind of request. */
  MINTMARK_MINT_FUNCTION: /^[\w-]{1,64}:[a-z]+$/,
  MINTMARK_TRUST_FUNCTION: /^[\w-]{1,64}$/,
  MINTMARK_FEED_FUNCTION: /^[\w-]{1,64}:[a-z]+$/,
  MINTMARK_CHECKPOINT_FUNCTION: /^[\w-]{1,64}:[a-z]+$/,
  /** Under Object Lock. */
  MINTMARK_ARCHIVE_BUCKET: /^[a-z0-9-]{3,63}$/,
  /** Where revocation orders go. */
  MINTMARK_ORDERS_QUEUE: /^https?:\/\/\S+$/,
  MINTMARK_DENIALS_QUEUE: /^https?:\/\/\S+$/,
  /** What wakes push. */
  MINTMARK_PUSH_QUEUE: /^https?:\/\/\S+$/,
  /** Where a message goes that no retry can help; of audit, what the stream brought. */
  MINTMARK_QUARANTINE_QUEUE: /^https?:\/\/\S+$/,
  MINTMARK_DENIALS_QUARANTINE_QUEUE: /^https?:\/\/\S+$/,
  /** Ids of the roles whose sessions may order revocations, separated by commas. */
  MINTMARK_ORDER_SENDERS: /^[\w-]+(?:,[\w-]+)*$/,
  /** Id of the role of events: AWS signs no finding, so nobody else may bring one. */
  MINTMARK_EVENTS_SENDER: /^[\w-]+$/,
  /** Where the endpoint of STS lies in the network without a way out: a private range, which is otherwise never dialled. */
  MINTMARK_STS_RANGE: /^[\d.]+\/\d+$/,
} as const satisfies Readonly<Record<string, RegExp>>

export type EnvironmentName = keyof typeof FORMS
export const ENVIRONMENT_NAMES = Object.keys(FORMS) as readonly EnvironmentName[]
export type Environment<Name extends EnvironmentName> = { readonly [name in Name]: string }

type Variables = Readonly<Record<string, string | undefined>>

/** Throws for a name that is missing or has another form. */
export const readEnvironment = <const Name extends EnvironmentName>(
  names: readonly Name[],
  variables: Variables = ownVariables(),
): Environment<Name> =>
  Object.fromEntries(names.map((name) => [name, usable(name, FORMS[name], variables)])) as Environment<Name>

/** What Lambda itself tells a function: where it runs, and as whom. Its credentials live as long as its process. */
export type AwsPlace = {
  readonly region: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
  }
  /** Of every service, where it is an emulator. */
  readonly endpoint?: string
}

export const readAwsPlace = (variables: Variables = ownVariables()): AwsPlace => {
  const endpoint = variables['AWS_ENDPOINT_URL']
  return {
    region: usable('AWS_REGION', /^[a-z]{2}(?:-[a-z]+)+-\d$/, variables),
    credentials: {
      accessKeyId: usable('AWS_ACCESS_KEY_ID', /^\S+$/, variables),
      secretAccessKey: usable('AWS_SECRET_ACCESS_KEY', /^\S+$/, variables),
      sessionToken: usable('AWS_SESSION_TOKEN', /^\S+$/, variables),
    },
    ...(endpoint === undefined
      ? {}
      : { endpoint: usable('AWS_ENDPOINT_URL', LOOPBACK, { AWS_ENDPOINT_URL: endpoint }) }),
  }
}
/** An endpoint sees every credential and key: only a machine that emulates AWS for itself may name one. */
const LOOPBACK = /^http:\/\/127\.0\.0\.1:\d+$/

const usable = (name: string, form: RegExp, variables: Variables): string => {
  const value = variables[name]
  if (value === undefined || !form.test(value)) throw new Error(`the environment has no usable ${name}`)
  return value
}

// biome-ignore lint/style/noProcessEnv: the one place that reads it
const ownVariables = (): Variables => process.env
