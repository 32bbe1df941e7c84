// The way in. A WAF cannot stand before an HTTP API, so it stands before CloudFront, and the API's own domain answers only to
// CloudFront's client certificate: nobody comes in around the WAF. The distribution and its WAF are a stack in us-east-1.
import { LIMITS } from '../lib/domain/limits.ts'
import type { Settings } from './settings.ts'

/** In the Region: the API's domain. */
export const originResources = ({ originDomain, originCertificate, originTruststore }: Settings) => ({
  OriginDomain: {
    Type: 'AWS::ApiGatewayV2::DomainName',
    Properties: {
      DomainName: originDomain,
      DomainNameConfigurations: [
        { CertificateArn: originCertificate, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
      ],
      MutualTlsAuthentication: { TruststoreUri: originTruststore },
    },
  },
  OriginMapping: {
    Type: 'AWS::ApiGatewayV2::ApiMapping',
    DependsOn: 'HttpApiStage',
    Properties: { ApiId: { Ref: 'HttpApi' }, DomainName: { Ref: 'OriginDomain' }, Stage: '$default' },
  },
})

/** Requests a second of all tenants together; per tenant, subject and source they are counted by attest. */
export const API_THROTTLE = { rate: 500, burst: 1_000 } as const

const managed = (priority: number, name: string, counted: readonly string[] = []) => ({
  Name: name,
  Priority: priority,
  OverrideAction: { None: {} },
  Statement: {
    ManagedRuleGroupStatement: {
      VendorName: 'AWS',
      Name: name,
      ...(counted.length === 0
        ? {}
        : { RuleActionOverrides: counted.map((rule) => ({ Name: rule, ActionToUse: { Count: {} } })) }),
    },
  },
  VisibilityConfig: visibility(name),
})

const visibility = (name: string) => ({
  CloudWatchMetricsEnabled: true,
  MetricName: name,
  // Samples hold whole requests, and a request holds evidence.
  SampledRequestsEnabled: false,
})

/** A window of the WAF's rate rule, seconds. */
const WINDOW_SECONDS = 300

const webAcl = {
  Type: 'AWS::WAFv2::WebACL',
  Properties: {
    Name: 'mintmark-edge',
    Scope: 'CLOUDFRONT',
    DefaultAction: { Allow: {} },
    VisibilityConfig: visibility('mintmark-edge'),
    Rules: [
      {
        Name: 'RatePerSource',
        Priority: 0,
        Action: { Block: { CustomResponse: { ResponseCode: 429 } } },
        Statement: {
          // What attest would allow one source at most: behind it the WAF only spares us the work.
          RateBasedStatement: {
            AggregateKeyType: 'IP',
            EvaluationWindowSec: WINDOW_SECONDS,
            Limit: LIMITS.sourceRate[0] * WINDOW_SECONDS + LIMITS.sourceRate[1],
          },
        },
        VisibilityConfig: visibility('RatePerSource'),
      },
      managed(1, 'AWSManagedRulesAmazonIpReputationList'),
      managed(2, 'AWSManagedRulesKnownBadInputsRuleSet'),
      // Evidence is up to 16 KiB of base64url in a form: larger than the rule allows, and full of what looks like attacks.
      managed(3, 'AWSManagedRulesCommonRuleSet', [
        'SizeRestrictions_BODY',
        'CrossSiteScripting_BODY',
        'GenericLFI_BODY',
      ]),
    ],
  },
}

/**
 * Managed policies of CloudFront, by id: UseOriginCacheControlHeaders-QueryStrings, since pages of the feed differ by their query,
 * and all of a viewer's request but its Host.
 */
const CACHE_AS_ORIGIN_SAYS = '4cc15a8a-d715-48a4-82b8-cc0b614638fe'
const ALL_BUT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac'
const SECURITY_HEADERS = '67f7725c-6f97-4210-82d7-5512b31e9d03'

const distribution = ({ domain, originDomain, certificate, clientCertificate }: Settings) => ({
  Type: 'AWS::CloudFront::Distribution',
  Properties: {
    DistributionConfig: {
      Enabled: true,
      Comment: 'mintmark',
      HttpVersion: 'http2and3',
      Aliases: [domain],
      WebACLId: { 'Fn::GetAtt': ['WebAcl', 'Arn'] },
      ViewerCertificate: {
        AcmCertificateArn: certificate,
        SslSupportMethod: 'sni-only',
        MinimumProtocolVersion: 'TLSv1.2_2021',
      },
      Origins: [
        {
          Id: 'api',
          DomainName: originDomain,
          CustomOriginConfig: {
            OriginProtocolPolicy: 'https-only',
            OriginSSLProtocols: ['TLSv1.2'],
            OriginReadTimeout: 30,
            OriginMtlsConfig: { ClientCertificateArn: clientCertificate },
          },
        },
      ],
      DefaultCacheBehavior: {
        TargetOriginId: 'api',
        ViewerProtocolPolicy: 'https-only',
        AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
        // Tokens are `no-store`, public documents say how long they are good for.
        CachePolicyId: CACHE_AS_ORIGIN_SAYS,
        OriginRequestPolicyId: ALL_BUT_HOST,
        ResponseHeadersPolicyId: SECURITY_HEADERS,
        Compress: true,
      },
    },
  },
})

/** In us-east-1. */
export const edgeResources = (settings: Settings) => ({ WebAcl: webAcl, Distribution: distribution(settings) })
