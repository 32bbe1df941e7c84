// The tenant documents of a directory: DIR/*.yaml, but not the policy tests beside them. Reads files, judges nothing.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LIMITS } from '../../domain/limits.ts'

export type TenantFile = { readonly file: string; readonly text: string }

/** In the order of their names. `.yml` counts too: a document that is silently not read would be worse. Throws what node:fs throws. */
export const readTenantFiles = (directory: string): readonly TenantFile[] =>
  readYaml(directory, (name) => !isPolicyTest(name))

/** The policy tests: `<tenant>.test.yaml`. */
export const readPolicyTestFiles = (directory: string): readonly TenantFile[] => readYaml(directory, isPolicyTest)

const isPolicyTest = (name: string): boolean => /\.test\.ya?ml$/.test(name)

const readYaml = (directory: string, wanted: (name: string) => boolean): readonly TenantFile[] =>
  readdirSync(directory)
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.') && wanted(name))
    .sort()
    .map((name) => {
      const file = join(directory, name)
      // One byte more than the limit is enough for the loader to refuse it; a huge file is never read whole.
      const isHuge = statSync(file).size > LIMITS.tenantDocumentBytesMax
      return { file, text: isHuge ? ' '.repeat(LIMITS.tenantDocumentBytesMax + 1) : readFileSync(file, 'utf8') }
    })
