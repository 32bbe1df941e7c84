// The environment a function has where it is deployed: the names of infra/environment.ts, and what Lambda gives. Where
// CloudFormation fills in a value, one of that form.
import { trustedRoots } from '../../infra/amazon-roots.ts'
import { environments } from '../../infra/environment.ts'
import type { FunctionName } from '../../infra/names.ts'

const VALUES: Readonly<Record<string, string>> = {
  MINTMARK_DATA_ROLE: 'arn:aws:iam::111122223333:role/mintmark/data/x',
  MINTMARK_POOL_KEY: 'arn:aws:kms:eu-west-1:111122223333:key/x',
  MINTMARK_ARCHIVE_BUCKET: 'mintmark-archive-111122223333-eu-west-1',
  MINTMARK_ORDER_SENDERS: 'AROAX,AROAY',
  MINTMARK_EVENTS_SENDER: 'AROAZ',
}

export const functionEnvironment = (name: FunctionName): Record<string, string> => {
  const given = Object.entries(environments({ stage: 'prod' }, 'sts.example.com')[name])
  const filledIn = (key: string, value: unknown): string =>
    typeof value === 'string' ? value : (VALUES[key] ?? 'https://sqs.eu-west-1.amazonaws.com/111122223333/queue')
  return {
    ...Object.fromEntries(given.map(([key, value]) => [key, filledIn(key, value)])),
    ...trustedRoots(name),
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  }
}
