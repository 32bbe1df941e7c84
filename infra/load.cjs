// osls evaluates functions of CommonJS files, and no TypeScript; Node 24 requires TypeScript modules as they are.
const { readSettings } = require('./settings.ts')

const of = (file, name) => async (context) => require(file)[name](await readSettings(context))

module.exports = {
  core: of('./core.ts', 'coreResources'),
  coreExtensions: of('./core.ts', 'coreExtensions'),
  edge: of('./edge.ts', 'edgeStack'),
  functions: of('./functions.ts', 'functionSettings'),
  tenants: of('./tenants.ts', 'tenantStack'),
}
