// The core stack: everything that all tenants share. Functions and their triggers are in serverless.yml.
import { alarmResources } from './alarms.ts'
import { aliasResources } from './aliases.ts'
import { archiveResources } from './archive.ts'
import { findingResources } from './findings.ts'
import { API_THROTTLE, originResources } from './front-door.ts'
import { CORE_KEY, keyResources, LOG_KEY, POOL_KEY } from './keys.ts'
import { FUNCTIONS } from './names.ts'
import { networkResources } from './network.ts'
import { roleResources } from './policies/roles.ts'
import { coreTablePolicy, logTablePolicy } from './policies/table-policies.ts'
import { workloadPolicies } from './policies/workload.ts'
import { queueResources } from './queues.ts'
import { scheduleResources } from './schedules.ts'
import type { Settings } from './settings.ts'
import { coreTable, logTable, type TableResource } from './tables.ts'

const withPolicy = (table: TableResource, policy: object) => ({
  ...table,
  Properties: { ...table.Properties, ResourcePolicy: { PolicyDocument: policy } },
})

export const coreResources = (settings: Settings) => {
  const { place, deployRole, applyPrincipals, operatorPrincipals } = settings
  return {
    Resources: {
      ...keyResources(deployRole),
      CoreTable: withPolicy(coreTable(CORE_KEY), coreTablePolicy),
      LogTable: withPolicy(logTable(LOG_KEY), logTablePolicy),
      ...queueResources(place),
      ...roleResources({ place, poolKey: POOL_KEY, applyPrincipals, operatorPrincipals }),
      ...workloadPolicies(),
      ...aliasResources,
      ...networkResources,
      ...archiveResources(place),
      ...scheduleResources(place),
      ...findingResources(settings),
      ...originResources(settings),
      ...alarmResources(place),
    },
  }
}

const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

/** Properties that osls has no words for, put into the resources it generates. */
export const coreExtensions = () => ({
  extensions: {
    ...Object.fromEntries(
      [...FUNCTIONS.map((fn) => `${pascal(fn)}LogGroup`), 'HttpApiLogGroup'].map((id) => [
        id,
        { Properties: { KmsKeyId: LOG_KEY }, DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' },
      ]),
    ),
    HttpApiStage: {
      Properties: {
        DefaultRouteSettings: {
          DetailedMetricsEnabled: true,
          ThrottlingRateLimit: API_THROTTLE.rate,
          ThrottlingBurstLimit: API_THROTTLE.burst,
        },
      },
    },
  },
})
