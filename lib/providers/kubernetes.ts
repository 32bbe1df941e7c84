// Kubernetes projected service account tokens: any cluster, EKS, GKE, AKS, OpenShift (issuers.md §2.13, T8). A legacy secret
// token and a token without a pod are refused. The file is read by every process of the pod: replay is 'reuse'. Pure.
import { claimAt, type JsonObject } from '../domain/claims.ts'
import type { Provider } from '../domain/provider.ts'
import { refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import { isCommonAudience, isHttpsIssuer } from './issuer-forms.ts'
import { claim, derived, joined } from './leaf-sources.ts'

/** Issuers of managed clusters: EKS, GKE, AKS, ROSA. */
const OWN = [
  /^https:\/\/oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?(?:\/|$)/,
  /^https:\/\/container\.googleapis\.com(?:\/|$)/,
  /^https:\/\/[a-z0-9-]+\.oic\.prod-aks\.azure\.com(?:\/|$)/,
  /^https:\/\/oidc\.op1\.openshiftapps\.com(?:\/|$)/,
  /^https:\/\/rh-oidc\.s3\.[a-z0-9-]+\.amazonaws\.com(?:\/|$)/,
]

/** The default of self-managed clusters: the same text in every one of them. */
const IN_CLUSTER = /^https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?$/

const kube = (...names: string[]): readonly string[] => ['kubernetes.io', ...names]
const NAMESPACE = kube('namespace')
const ACCOUNT = kube('serviceaccount', 'name')
const POD = kube('pod', 'uid')
const LABEL = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/

const checkProjected = (claims: JsonObject): Result<null> => {
  // Secrets that never expire carry flat claims named kubernetes.io/serviceaccount/…
  if (Object.keys(claims).some((name) => name.startsWith('kubernetes.io/serviceaccount/')))
    return refuse('claim_invalid', { claim: 'kubernetes.io/serviceaccount', expected: 'absent: a legacy token' })
  const pod = claimAt(claims, POD)
  if (typeof pod !== 'string' || pod === '')
    return refuse('claim_invalid', { claim: 'kubernetes.io.pod', expected: 'a token projected into a pod' })
  const [namespace, account] = [claimAt(claims, NAMESPACE), claimAt(claims, ACCOUNT)]
  const isNamed =
    typeof namespace === 'string' && typeof account === 'string' && LABEL.test(namespace) && LABEL.test(account)
  if (!isNamed || claimAt(claims, ['sub']) !== `system:serviceaccount:${namespace}:${account}`)
    return refuse('claim_invalid', { claim: 'sub', expected: 'the service account of the kubernetes.io claims' })
  return ok(null)
}

export const kubernetes: Provider = {
  name: 'kubernetes',
  title: 'Kubernetes service accounts',
  issuer: {
    owns: (iss) => OWN.some((form) => form.test(iss)) || IN_CLUSTER.test(iss),
    accepts: isHttpsIssuer,
    shared: () => false,
    form: 'the https --service-account-issuer of the cluster, exactly (AKS ends in a slash)',
  },
  keysInlineOnly: (iss) => IN_CLUSTER.test(iss),
  algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
  maxAgeSeconds: 3_600,
  // Tokens for the default audience may live a year.
  lifetimeSecondsMax: 86_400,
  replay: 'reuse',
  audience: 'run',
  defaultAudiences: (aud) => isCommonAudience(aud) || IN_CLUSTER.test(aud),
  tenancyLeaf: 'org.id',
  leaves: {
    'org.id': { issuer: true, mutability: 'immutable' },
    'project.id': claim(kube('serviceaccount', 'uid'), 'immutable'),
    'project.path': joined([NAMESPACE, ACCOUNT], 'reusable'),
    'run.id': claim('jti', 'per_run'),
    'instance.kind': derived([POD], 'per_run', (uid = null) => (uid === null ? null : 'pod')),
    'instance.id': claim(POD, 'per_run'),
  },
  triggers: null,
  check: checkProjected,
  workloadLeaf: 'project.id',
  bindsRefOrEnvironment: false,
  advice: [
    {
      leaves: ['project.path'],
      says: 'bind project.path (namespace/name) beside the uid, so that people can read the grant',
    },
  ],
}
