// The packaged templates for test/aws: `npm run package` at most once for each state of what it packages (vitest's global
// setup), with test/infra/tenants as tenants. Policies are judged as they would be deployed, never as they are written in infra/.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import type { Cloud } from './aws/cloud.ts'
import { cloudFromTemplates, type Stack } from './aws/cloud-from-template.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder that holds a template a stack, `<stack>.json`. */
    packagedStacks: string
  }
}

const root = join(import.meta.dirname, '../..')
const FILE = 'cloudformation-template-update-stack.json'
const TENANTS = 'test/infra/tenants'
/** All that is packaged, and all that packages it. */
const SOURCES = [
  'functions',
  'infra',
  'lib',
  'package-lock.json',
  'scripts',
  'serverless.yml',
  'tenants.serverless.yml',
  TENANTS,
]

export const setup = (project: TestProject): void => {
  const kept = join(root, 'dist/stacks', fingerprint())
  if (!existsSync(kept)) keepPackage(kept)
  project.provide('packagedStacks', kept)
}

const fingerprint = (): string => {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  for (const source of SOURCES) {
    if (/\.\w+$/.test(source)) add(source)
    else
      for (const entry of readdirSync(join(root, source), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) add(join(entry.parentPath.slice(root.length + 1), entry.name))
  }
  return hash.digest('hex').slice(0, 16)
}

const keepPackage = (kept: string): void => {
  const script = join(root, 'scripts/package.ts')
  // No credentials, no home with any: what needs one fails.
  const done = spawnSync(process.execPath, [script, `--param=tenants=${TENANTS}`], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: join(root, 'dist') },
  })
  if (done.status !== 0) throw new Error(`the package failed:\n${done.stdout}${done.stderr}`)
  // Renamed into place when it is whole: a run that was stopped leaves nothing that looks packaged.
  const making = `${kept}.${process.pid}`
  mkdirSync(making, { recursive: true })
  cpSync(join(root, '.serverless', FILE), join(making, 'core.json'))
  for (const stack of readdirSync(join(root, '.serverless-tenants')))
    cpSync(join(root, '.serverless-tenants', stack, FILE), join(making, `tenants-${stack}.json`))
  if (existsSync(kept)) rmSync(making, { recursive: true })
  else renameSync(making, kept)
}

export const PLACE = { account: '111122223333', region: 'eu-west-1' } as const

/** Core first: tenant stacks name what it makes. A stack `account-<id>` is deployed to that account. */
export const packagedStacks = (): readonly Stack[] => {
  const folder = inject('packagedStacks')
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const name = file.replace('.json', '')
      const account = /^tenants-account-(\d{12})$/.exec(name)?.[1]
      return {
        name: name === 'core' ? 'mintmark-prod' : `mintmark-${name}`,
        template: JSON.parse(readFileSync(join(folder, file), 'utf8')),
        ...(account === undefined ? {} : { account }),
      }
    })
}

export const packagedCloud = (stacks = packagedStacks()): Cloud => cloudFromTemplates(stacks, PLACE)
