// What a deployment chooses, given to osls with --param and read here. Every one has a default, so that a checkout packages
// offline; docs/deploy-aws.md says what each is.
import type { Place } from './names.ts'

export type Settings = {
  readonly place: Place
  /** Host of the issuer URLs, served by CloudFront. */
  readonly domain: string
  /** Host of the HTTP API behind it; answers only to CloudFront's client certificate. */
  readonly originDomain: string
  /** ACM certificates: of the origin in the Region, of the domain in us-east-1, and CloudFront's client certificate there. */
  readonly originCertificate: string
  readonly certificate: string
  readonly clientCertificate: string
  /** S3 URI of the CA that signed the client certificate. */
  readonly originTruststore: string
  /** ARN of the role that deploys; it administers the keys. */
  readonly deployRole: string
  readonly applyPrincipals: readonly string[]
  readonly operatorPrincipals: readonly string[]
  /** Accounts that send their findings. */
  readonly findingAccounts: readonly string[]
  /** The account of the broker. Roles of tenants in other accounts get stacks of their own. */
  readonly account: string
  /** Folder of tenant documents. */
  readonly tenants: string
  /** Which tenant stack is packaged; empty in the core stack. */
  readonly stack: string
}

/** What osls hands to a function of a resource file. */
export type OslsContext = { readonly resolveVariable: (address: string) => Promise<unknown> }

export const readSettings = async ({ resolveVariable }: OslsContext): Promise<Settings> => {
  const param = async (name: string): Promise<string> => String(await resolveVariable(`param:${name}`))
  const list = async (name: string): Promise<readonly string[]> => (await param(name)).split(',').filter(Boolean)
  return {
    place: { stage: String(await resolveVariable('sls:stage')) },
    domain: await param('domain'),
    originDomain: await param('originDomain'),
    originCertificate: await param('originCertificate'),
    certificate: await param('certificate'),
    clientCertificate: await param('clientCertificate'),
    originTruststore: await param('originTruststore'),
    deployRole: await param('deployRole'),
    applyPrincipals: await list('applyPrincipals'),
    operatorPrincipals: await list('operatorPrincipals'),
    findingAccounts: await list('findingAccounts'),
    account: await param('account'),
    tenants: await param('tenants'),
    stack: await param('stack'),
  }
}
