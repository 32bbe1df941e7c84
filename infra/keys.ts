// KMS keys: one wraps the tenants' keys, one encrypts the core table, one what is kept of the past.
import { coreKeyPolicy, logKeyPolicy, poolKeyPolicy } from './policies/keys.ts'
import type { PolicyDocument, Text } from './policies/statement.ts'

const key = (says: string, policy: PolicyDocument) => ({
  Type: 'AWS::KMS::Key',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    Description: says,
    EnableKeyRotation: true,
    // The longest there is: whoever schedules a deletion by mistake has a month to see it.
    PendingWindowInDays: 30,
    KeyPolicy: policy,
  },
})

const arnOf = (logicalId: string): Text => ({ 'Fn::GetAtt': [logicalId, 'Arn'] })
export const POOL_KEY = arnOf('PoolKey')
export const CORE_KEY = arnOf('CoreKey')
export const LOG_KEY = arnOf('LogKey')

export const keyResources = (deployRole: string) => ({
  PoolKey: key('Mintmark: wraps the keys of tenants', poolKeyPolicy(deployRole)),
  CoreKey: key('Mintmark: core table', coreKeyPolicy(deployRole)),
  LogKey: key('Mintmark: logs, archive, alarms', logKeyPolicy(deployRole)),
})
