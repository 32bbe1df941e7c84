// Every preset, listed once. What is not here is the generic preset's affair (house style 8). Pure.
import type { Provider } from '../domain/provider.ts'
import type { ProviderName } from '../domain/wid.ts'
import { aws } from './aws.ts'
import { azure } from './azure.ts'
import { azureDevops } from './azure-devops.ts'
import { bitbucket } from './bitbucket.ts'
import { buildkite } from './buildkite.ts'
import { circleci } from './circleci.ts'
import { codefresh } from './codefresh.ts'
import { fly } from './fly.ts'
import { forgejo } from './forgejo.ts'
import { gcp } from './gcp.ts'
import { generic } from './generic.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { hcpTerraform } from './hcp-terraform.ts'
import { jenkins } from './jenkins.ts'
import { kubernetes } from './kubernetes.ts'
import { render } from './render.ts'
import { semaphore } from './semaphore.ts'
import { spacelift } from './spacelift.ts'
import { spiffe } from './spiffe.ts'
import { vercel } from './vercel.ts'

export const PROVIDER_CATALOG: Readonly<Record<ProviderName, Provider>> = {
  github,
  gitlab,
  circleci,
  buildkite,
  bitbucket,
  azure_devops: azureDevops,
  jenkins,
  hcp_terraform: hcpTerraform,
  spacelift,
  gcp,
  aws,
  azure,
  kubernetes,
  spiffe,
  forgejo,
  vercel,
  fly,
  render,
  semaphore,
  codefresh,
  generic,
}

/** The preset whose platform uses this `iss`; only it may register it (design §5). Null: nobody's. */
export const presetOwning = (iss: string): Provider | null =>
  Object.values(PROVIDER_CATALOG).find((provider) => provider.issuer.owns(iss)) ?? null
