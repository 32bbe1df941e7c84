// `mintmark aws-trust`: what to set up in the AWS account of a tenant, ready to paste. Offline; reads the tenant documents only.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { roleTrusts } from '../../lib/wire/role-trust.ts'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import { type Command, readOptions, required, UsageError } from '../command.ts'
import { assumption, loadTenantDirectory } from '../policy/tenant-directory.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark aws-trust --tenant T [--tenants DIR] [options]

Prints, as JSON, for each AWS role the tenant document names: the identity provider to register in the account of the role,
and the trust policy of the role.

  --tenants DIR         the tenant documents (default: tenants)
  --base-url URL        base URL of the broker (default: what the documents' audiences say)
  --broker-account ID   the account the broker runs in; needed for roles with via: assume-role
  --dev                 as "serve --dev"

Exit: 0 done, 1 the documents have errors or the tenant names no role, 2 wrong usage.
`

export const run: Command['run'] = async (argv, io) => {
  const { values, positionals } = readOptions(argv, {
    tenant: { type: 'string' },
    tenants: { type: 'string', default: 'tenants' },
    'base-url': { type: 'string' },
    'broker-account': { type: 'string' },
    dev: { type: 'boolean' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('aws-trust takes no arguments')
  const tenant = required(values.tenant, 'tenant')
  const account = values['broker-account'] ?? ''
  if (account !== '' && !/^[0-9]{12}$/.test(account)) throw new UsageError('--broker-account is 12 digits')
  const set = loadTenantDirectory(values.tenants, { baseUrl: values['base-url'], dev: values.dev ?? false })
  for (const problem of set.problems) io.stderr.write(`${formatProblem(problem)}\n`)
  if (set.isBaseUrlAssumed) io.stderr.write(`mintmark aws-trust: ${assumption(set.baseUrl)}\n`)
  const config = set.tenants.find((candidate) => candidate.config.tenant === tenant)?.config
  if (config === undefined) {
    const says = `there is no tenant "${tenant}" in ${values.tenants} that loads`
    return reportProblem(io, 'aws-trust', { kind: 'refused', says }, values.json)
  }
  const trusts = roleTrusts(config, {
    brokerRole: `arn:aws:iam::${account}:role/mintmark/fn/mintmark-mint`,
    sha256: nodeDigest.sha256,
  })
  if (trusts.length === 0) io.stderr.write(`mintmark aws-trust: tenant "${tenant}" names no AWS role\n`)
  if (account === '' && trusts.some(({ via }) => via === 'assume-role'))
    throw new UsageError('--broker-account is required: a role of this tenant has via: assume-role')
  io.stdout.write(`${JSON.stringify(trusts, null, 2)}\n`)
  return trusts.length === 0 ? 1 : 0
}
