// A person at a terminal who took a role: each command as a process of its own that finds place and credentials as AWS tools do, under
// the packaged policies of that role.
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Aws } from '../support/aws/emulator.ts'
import { roleNamed } from '../support/fences/callers.ts'
import { until } from '../support/until.ts'

export const REGION = 'eu-west-1'

export type Done = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export const personAt = (aws: () => Aws) => {
  const runAs = (role: string, ...args: string[]) =>
    new Promise<Done>((resolve) => {
      const session = { sessionName: 'alice', sourceIdentity: 'alice' }
      const arn = roleNamed(aws().cloud, role)
      const { accessKeyId, secretAccessKey, sessionToken } = aws().credentialsForRole(arn, session)
      const env = {
        PATH: process.env['PATH'] ?? '',
        AWS_REGION: REGION,
        AWS_ENDPOINT_URL: aws().endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken ?? '',
        AWS_CONFIG_FILE: join(tmpdir(), 'none'),
        AWS_SHARED_CREDENTIALS_FILE: join(tmpdir(), 'none'),
      }
      const child = spawn(process.execPath, ['bin/mintmark.ts', ...args], { env })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
      })
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString()
      })
      child.once('close', (code) => resolve({ code, stdout, stderr }))
    })
  /** The first decisions of IAM take the emulator longer than a command waits: until it answers at all. */
  const persistAs = (role: string, ...args: string[]): Promise<Done> =>
    until(
      `an answer of ${args.join(' ')}`,
      () => runAs(role, ...args),
      ({ code }) => code !== 3,
    )
  return { runAs, persistAs }
}
