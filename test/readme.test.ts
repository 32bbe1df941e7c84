// The README's commands are executed: what a stranger pastes must do what the README says.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'

const README = readFileSync('README.md', 'utf8')
const COMMANDS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => block[1]!.trim().split('\n'))
const mintmark = (args: readonly string[]) =>
  spawnSync(process.execPath, ['bin/mintmark.ts', ...args], { encoding: 'utf8' })

test('the README names exactly the commands that are tried here', () => {
  expect(COMMANDS).toEqual([
    'npm start',
    'npm test',
    'npm run -s mintmark -- lint tenants',
    'npm run -s mintmark -- test tenants',
    'npm run -s mintmark -- serve --tenants tenants --data .data --base-url https://sts.example.com',
    'npm run -s mintmark -- decision DECISION_ID --data .data',
    'npm run -s mintmark -- explain --tenant acme --assertion assertion.jwt --tenants tenants',
    'npm run -s mintmark -- revoke --tenant acme --project github/7654321 --reason "runner compromised" --data .data --dry-run',
    'npm run -s mintmark -- revocations --tenant acme --data .data',
    'npm run -s mintmark -- audit verify --tenant acme --data .data',
    'npm run -s mintmark -- audit search --tenant acme --data .data --project 7654321',
  ])
})

test('the example tenants lint and pass their policy tests', () => {
  expect(mintmark(['lint', 'tenants']).status).toBe(0)
  expect(mintmark(['test', 'tenants']).status).toBe(0)
})

test('npm start prints a curl that redeems a fresh assertion when pasted', async () => {
  const child = spawn(process.execPath, ['scripts/playground.ts'], { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const text = await new Promise<string>((resolve, reject) => {
      let seen = ''
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString()
        if (seen.includes('Ctrl-C')) resolve(seen)
      })
      child.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)))
    })
    const curl = /^curl -s \S+\/t\/acme\/token[\s\S]*?subject_token="[^\n]*"$/m.exec(text)?.[0]
    expect(curl).toBeDefined()
    const pasted = spawnSync('sh', ['-c', curl!], { encoding: 'utf8' })
    const answer = JSON.parse(pasted.stdout) as Record<string, string>
    expect(decodeJwt(answer['access_token']!).sub).toBe('spiffe://acme.example/ci/7654321/production')
  } finally {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  }
})

test('what leaked is revoked, and the log proves it, with the commands as they stand', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-readme-'))
  const command = (name: string): string[] => {
    const line = COMMANDS.find((each) => each.includes(`-- ${name} `)) ?? ''
    const words = line.slice(line.indexOf(' -- ') + 4).match(/"[^"]*"|\S+/g) ?? []
    return words.map((word) => word.replaceAll('"', '').replace(/^\.data$/, dir))
  }
  const broker = spawn(process.execPath, ['bin/mintmark.ts', ...command('serve'), '--port', '0'], { stdio: 'pipe' })
  try {
    let output = ''
    for (const stream of [broker.stdout, broker.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
    await expect.poll(() => output).toContain('mintmark listening')
    const dryRun = command('revoke')
    expect(mintmark(dryRun)).toMatchObject({ status: 0, stdout: expect.stringContaining('would') })
    expect(mintmark(dryRun.filter((word) => word !== '--dry-run')).status).toBe(0)
    expect(mintmark(command('revocations')).stdout).toContain('block  project github/7654321')
    await expect.poll(() => mintmark(command('audit verify')).status).toBe(0)
    await expect.poll(() => mintmark(command('audit search')).stdout).toContain('revoked')
  } finally {
    broker.kill('SIGTERM')
    await new Promise((resolve) => broker.once('exit', resolve))
    rmSync(dir, { recursive: true, force: true })
  }
})
