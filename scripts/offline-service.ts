// The packaged service as serverless-offline runs it. Promises: handlers, routes, timeouts and zips are those of the packaged
// template; only the environment is another, which is the template's with every reference resolved, at the emulator.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { FUNCTIONS, type FunctionName } from '../infra/names.ts'
import { tenantStacks } from '../infra/tenants.ts'
import type { Stack } from '../test/support/aws/cloud-from-template.ts'
import { type Template, templateResolver } from '../test/support/aws/template-values.ts'
import { bundle } from './bundle.ts'

const root = join(import.meta.dirname, '..')
const TEMPLATE = 'cloudformation-template-update-stack.json'
export const PLACE = { account: '111122223333', region: 'eu-west-1' } as const
const STACK = 'mintmark-prod'
const DOMAIN = 'sts.example.com'

type OfflinePackage = { readonly core: Template; readonly stacks: readonly Stack[] }

/**
 * Builds the bundles and packages the core stack and the stacks of `tenantsDir` with them, into an empty folder of its own: osls
 * empties .serverless whatever it packages, and others may be packaging.
 */
export const packageService = async (folder: string, tenantsDir: string): Promise<OfflinePackage> => {
  const linked = [
    'infra',
    'lib',
    'functions',
    'node_modules',
    'package.json',
    'serverless.yml',
    'tenants.serverless.yml',
  ]
  for (const name of linked) symlinkSync(join(root, name), join(folder, name))
  mkdirSync(join(folder, 'dist'))
  for (const name of FUNCTIONS) await bundle(root, name, join(folder, 'dist'))
  const osls = (config: string, into: string, ...params: readonly string[]): Template => {
    const args = [oslsOf(folder), 'package', '-c', config, '-p', into, `--param=tenants=${tenantsDir}`, ...params]
    const done = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`osls package: ${done.stdout}${done.stderr}`)
    return JSON.parse(readFileSync(join(folder, into, TEMPLATE), 'utf8'))
  }
  const names = [...tenantStacks({ account: PLACE.account, domain: DOMAIN, tenants: tenantsDir }).keys()]
  const tenants = names.map((name) => ({
    template: osls('tenants.serverless.yml', `.serverless-tenants/${name}`, `--param=stack=${name}`),
    name: `mintmark-tenants-${name}`,
  }))
  const core = osls('serverless.yml', '.serverless')
  return { core, stacks: [{ template: core, name: STACK }, ...tenants] }
}

export const oslsOf = (folder: string): string => join(folder, 'node_modules/serverless/bin/serverless.js')

type Variables = Readonly<Record<string, string>>
type Lambda = {
  readonly FunctionName: string
  readonly Handler: string
  readonly Runtime: string
  readonly Timeout: number
  readonly Environment: { readonly Variables: Variables }
}

const logicalIdOf = (fn: FunctionName): string => `${fn.charAt(0).toUpperCase()}${fn.slice(1)}LambdaFunction`

/** serverless-offline's configuration. `emulated`: what each function is told beside the variables of the template, or instead. */
export const offlineService = (
  core: Template,
  ports: { readonly http: number; readonly lambda: number },
  emulated: (fn: FunctionName) => Variables,
): object => {
  const resolver = templateResolver(core, { ...PLACE, stackName: STACK, parameters: {}, exports: {} })
  const deployed = (fn: FunctionName) => {
    const { FunctionName, Handler, Runtime, Timeout, Environment } = resolver.properties(logicalIdOf(fn)) as Lambda
    return {
      name: FunctionName,
      handler: Handler,
      runtime: Runtime,
      timeout: Timeout,
      // Functions run in workers, which take no flag of a process; whose certificates are believed is no matter at the emulator.
      environment: { ...Environment.Variables, ...emulated(fn), NODE_OPTIONS: '' },
      package: { artifact: `dist/${fn}.zip` },
      events: routesOf(core, fn).map((route) => ({ httpApi: route })),
    }
  }
  /** serverless-offline knows no aliases: each is a function of that name. */
  const byAliases = (fn: FunctionName) =>
    aliasesOf(core, fn).map((alias) => {
      const own = deployed(fn)
      return [`${fn}-${alias}`, { ...own, name: `${own.name}:${alias}`, events: [] }]
    })
  return {
    service: 'mintmark',
    frameworkVersion: '4',
    // Its pattern of names has no room for an alias.
    configValidationMode: 'off',
    plugins: ['serverless-offline'],
    provider: { name: 'aws', stage: 'prod', region: PLACE.region, httpApi: { payload: '2.0' } },
    custom: {
      // A first decision of IAM takes the emulator longer than a function may run; the functions' own deadlines hold as ever.
      'serverless-offline': {
        host: '127.0.0.1',
        httpPort: ports.http,
        lambdaPort: ports.lambda,
        noPrependStageInUrl: true,
        noTimeout: true,
      },
    },
    functions: Object.fromEntries(FUNCTIONS.flatMap((fn) => [[fn, deployed(fn)], ...byAliases(fn)])),
  }
}

const aliasesOf = (core: Template, fn: FunctionName): readonly string[] =>
  Object.values(core.Resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::Alias')
    .filter(({ Properties }) => JSON.stringify(Properties?.['FunctionName']).includes(`"${logicalIdOf(fn)}"`))
    .map(({ Properties }) => String(Properties?.['Name']))

/** Route keys of the HTTP API that lead to it. */
const routesOf = (core: Template, fn: FunctionName): readonly string[] => {
  const integration = `"HttpApiIntegration${logicalIdOf(fn).replace('LambdaFunction', '')}"`
  return Object.values(core.Resources)
    .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
    .filter(({ Properties }) => JSON.stringify(Properties?.['Target']).includes(integration))
    .map(({ Properties }) => String(Properties?.['RouteKey']))
}
