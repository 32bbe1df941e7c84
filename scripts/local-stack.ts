// A whole Mintmark on this machine for `npm start` and `npm run demo`: a local issuer that plays the CI platforms, the example
// tenants pointed at it, and the real broker in a process of its own. Loopback only; nothing here is used in production.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Document, isMap, parseDocument } from 'yaml'
import { type CiPlatform, startCiPlatform } from './ci-platform.ts'

export type LocalStack = {
  readonly url: string
  readonly platform: CiPlatform
  readonly tenantsDir: string
  readonly dataDir: string
  readonly stop: () => Promise<void>
}

export const startLocalStack = async (options: {
  readonly directory: string
  readonly port: number
  /** More options of `serve`. */
  readonly args?: readonly string[]
  /** Changes a tenant's document. `url`: its issuer URL. */
  readonly edit?: (tenant: string, document: Document, url: string) => void
}): Promise<LocalStack> => {
  const platform = await startCiPlatform({})
  const tenantsDir = join(options.directory, 'tenants')
  const dataDir = join(options.directory, 'data')
  rmSync(options.directory, { recursive: true, force: true })
  mkdirSync(tenantsDir, { recursive: true })
  const port = await freePort(options.port)
  for (const [tenant, document] of tenantsAt(platform.jwksUrl)) {
    options.edit?.(tenant, document, `http://127.0.0.1:${port}/t/${tenant}`)
    writeFileSync(join(tenantsDir, `${tenant}.yaml`), document.toString())
  }
  const args = ['--tenants', tenantsDir, '--data', dataDir, '--port', String(port), ...(options.args ?? [])]
  const broker = await serve(args)
  const stop = async () => {
    await stopChild(broker.child)
    await platform.stop()
  }
  return { url: broker.url, platform, tenantsDir, dataDir, stop }
}

/** The example tenants as they are, but for where keys come from: the platforms' real key sets would not know our issuer. */
const tenantsAt = (jwksUrl: string): readonly [string, Document][] =>
  readdirSync('tenants')
    .filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
    .map((file) => {
      const document = parseDocument(readFileSync(join('tenants', file), 'utf8'))
      const issuers = document.get('issuers')
      if (isMap(issuers))
        for (const { key } of issuers.items) document.setIn(['issuers', String(key), 'jwks'], { url: jwksUrl })
      return [file.replace(/\.yaml$/, ''), document]
    })

/** The wanted port, or the next one nobody listens on. */
const freePort = async (wanted: number): Promise<number> => {
  for (let port = wanted; port < wanted + 100; port += 1) if (await isFree(port)) return port
  throw new Error(`no free port from ${wanted} to ${wanted + 99}`)
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

const serve = async (args: readonly string[]): Promise<{ readonly url: string; readonly child: ChildProcess }> => {
  const child = spawn(process.execPath, ['bin/mintmark.ts', 'serve', '--dev', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const ready = /mintmark listening on (\S+)/.exec(text)
      if (ready) resolve(ready[1]!)
    })
    child.once('exit', (code) => reject(new Error(`the broker stopped with code ${code}`)))
  })
  return { url, child }
}

const stopChild = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
