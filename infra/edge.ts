// The edge stack, in us-east-1: CloudFront and its WAF.
import { edgeResources } from './front-door.ts'
import type { Settings } from './settings.ts'

export const edgeStack = (settings: Settings) => ({
  Resources: edgeResources(settings),
  Outputs: { DistributionDomain: { Value: { 'Fn::GetAtt': ['Distribution', 'DomainName'] } } },
})
