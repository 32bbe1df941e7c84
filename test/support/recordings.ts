// What the end-to-end suites asked of AWS, kept for fences-recorded.test.ts, which runs when they are done: the policies, and each
// call as a line of JSON. A recording belongs to the package it was made under.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { inject } from 'vitest'
import type { Cloud } from './aws/cloud.ts'
import { type Entry, readEntries } from './aws/recorder.ts'

const FOLDER = join(import.meta.dirname, '../../dist/recordings')

/** Global setup of the suites that record: nothing of an earlier run is left. */
export const setup = (): void => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
}

const currentPackage = (): string => basename(inject('packagedStacks'))

/** Keeps the policies of a suite; the file for its calls. */
export const recordingOf = (name: string, cloud: Cloud): string => {
  writeFileSync(join(FOLDER, `${name}.json`), JSON.stringify({ of: currentPackage(), cloud }))
  return join(FOLDER, `${name}.jsonl`)
}

export type Recording = { readonly cloud: Cloud; readonly entries: readonly Entry[] }

/** Throws where there is none of this package: no proof about nothing. */
export const readRecording = (name: string): Recording => {
  const found = readdirSync(FOLDER, { withFileTypes: true }).some((entry) => entry.name === `${name}.json`)
  const kept = found ? JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) : {}
  if (kept.of !== currentPackage())
    throw new Error(
      `no recording ${name} of this package: run all of npm run test:aws, or npx vitest run --config vitest.aws.config.ts ${name} fences-recorded`,
    )
  return { cloud: kept.cloud, entries: readEntries(join(FOLDER, `${name}.jsonl`)) }
}
