// Allow statements that no recorded call needs, each with its reason: what Lambda, CloudFormation, AWS itself or a person does with
// them. An entry that is used after all, or that names nothing, fails.
import { SERVICE_SIDS } from '../../../infra/policies/role.ts'

type Exception = { readonly policy: RegExp; readonly statement: RegExp; readonly why: string }

const exception = (policy: RegExp, statement: RegExp, why: string): Exception => ({ policy, statement, why })

export const UNUSED: readonly Exception[] = [
  exception(
    /^trust of mintmark-(?!data-|apply|operator|provisioner|archive)/,
    /^RunByLambda$/,
    'Lambda takes the role before our code runs.',
  ),
  exception(
    /^role mintmark-(?!data-|apply|operator|provisioner|archive)/,
    new RegExp(`^(${[...SERVICE_SIDS].filter((sid) => sid !== 'PollQueue').join('|')})$`),
    'Lambda writes logs and traces, attaches to the network, polls the stream and keeps what failed with the role.',
  ),
  exception(
    /^trust of mintmark-(apply|operator)$/,
    /^NamedPrincipals$/,
    'People take these roles, by their own identity.',
  ),
  exception(
    /^role mintmark-apply, /,
    /^(OrderRevocations|DropRestoredKeys)$/,
    'An operator narrows a tenant, or restores a backup.',
  ),
  exception(
    /^role mintmark-operator, /,
    /^(ReadDecisions|ReadKeyMoves|ReadLogs|LiftBlocks)$/,
    'A person looks, or lifts a block: operator-commands runs the command, and tries what is refused as well.',
  ),
  exception(/^(role|trust of) mintmark-provisioner/, /./, 'CloudFormation deploys tenant stacks with it.'),
  exception(/^(role|trust of) mintmark-archive/, /./, 'EventBridge Scheduler exports the log with it.'),
  exception(
    /^role mintmark-data-rotate, /,
    /^TagSiloKey$/,
    'AWS asks it of CreateKey with tags; the emulator does not.',
  ),
  exception(/^managed mintmark-workload$/, /^Own/, 'Workloads use it, with what the owner of their role attaches.'),
  exception(/^policy of kms:/, /^Administer$/, 'The deploying role manages keys.'),
  exception(/^policy of kms:/, /^(ProcessLogs|AlarmsToTopic)$/, 'CloudWatch and its logs encrypt with the key.'),
  exception(/^policy of sqs:.*-(dlq|findings)$/, /^RuleMaySend$/, 'EventBridge delivers, or puts what it could not.'),
]
