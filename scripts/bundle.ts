// One file a function, dist/<name>/index.cjs, and its zip as it is shipped. The bytes follow from the sources alone.
// What is not in a bundle is not parsed: 100 KiB are about 13 ms of every cold start (bench/README.md).
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { AMAZON_ROOTS, callsAwsAlone } from '../infra/amazon-roots.ts'
import { zipOf } from './zip.ts'

/** The AWS entry of a function; its wiring alone until it has one. */
const entryOf = (root: string, name: string): string =>
  ['lambda.ts', 'handler.ts'].map((file) => join(root, 'functions', name, file)).find(existsSync) ?? name

/** Parts of the SDK that no function comes to, and what stands in their place. */
const LEFT_OUT: readonly { readonly path: RegExp; readonly instead: string }[] = [
  {
    // The functions give their clients credentials: the chain that looks for others would be a third of every bundle.
    path: /^@aws-sdk\/credential-provider-node$/,
    instead: `export const defaultProvider = () => () => Promise.reject(new Error('a client without credentials'))`,
  },
  {
    // No command of ours streams events. With them go node:zlib and their checksums.
    path: /^@smithy\/core\/event-streams$/,
    instead: `
      export const resolveEventStreamSerdeConfig = (config) => config
      export const eventStreamSerdeProvider = () => undefined
      export const EventStreamSerde = undefined`,
  },
  {
    // DynamoDB of old had an endpoint to be asked for in some Regions; the client asks only where it is told to.
    path: /^@aws-sdk\/middleware-endpoint-discovery$/,
    instead: `
      export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = { default: false }
      export const resolveEndpointDiscoveryConfig = (config) => config`,
  },
  {
    // Signs for buckets of several Regions at once.
    path: /^@aws-sdk\/signature-v4-multi-region$/,
    instead: `
      import { SignatureV4 } from '@smithy/signature-v4'
      export class SignatureV4MultiRegion extends SignatureV4 {
        static sigv4aDependency() { return 'none' }
      }`,
  },
  {
    // Lambda has no ~/.aws. Without the attempt to read it goes node:fs/promises.
    path: /^\.\/readFile$/,
    instead: `
      export const filePromises = {}
      export const fileIntercept = {}
      export const readFile = () => Promise.reject(new Error('no configuration files here'))`,
  },
]

const leaveOut = (root: string): Plugin => ({
  name: 'leave-out',
  setup(bundler) {
    LEFT_OUT.forEach(({ path, instead }, index) => {
      const namespace = `left-out-${index}`
      bundler.onResolve({ filter: path }, ({ importer }) =>
        /node_modules\/@(?:aws-sdk|smithy)\//.test(importer) ? { path: path.source, namespace } : undefined,
      )
      bundler.onLoad({ filter: /.*/, namespace }, () => ({ contents: instead, resolveDir: root }))
    })
    // Of its package a client tells AWS the version.
    bundler.onLoad({ filter: /@aws-sdk\/client-[\w-]+\/package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
})

const ADAPTERS = 'lib/adapters/aws'

/** The errors of AWS that an adapter names. Of all others the SDK makes one of its base class, with the same name and status. */
const errorsNamed = (root: string): ReadonlySet<string> => {
  const sources = readdirSync(join(root, ADAPTERS)).map((file) => readFileSync(join(root, ADAPTERS, file), 'utf8'))
  return new Set(sources.flatMap((source) => source.match(/\b[A-Z]\w+Exception\b/g) ?? []))
}

/**
 * A client is generated with the schemas of all its operations and errors, which tree shaking must keep: a computed key
 * (`[_hE]: 400`) might do something, and registering an error does. Written as the constants they are, unused ones go.
 */
const shakeSchemas = (named: ReadonlySet<string>): Plugin => ({
  name: 'shake-schemas',
  setup(bundler) {
    bundler.onLoad({ filter: /@aws-sdk\/client-[\w-]+\/dist-es\/schemas\/schemas_0\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const constants = new Map(
        [...source.matchAll(/^const (_\w+) = (".*");$/gm)].map(([, name, text]) => [name, text]),
      )
      const contents = source
        .replace(/\[(_\w+)\]:/g, (key, name: string) => (constants.has(name) ? `${constants.get(name)}:` : key))
        .replace(/^n0_registry\.registerError\(\w+\$, (\w+)\);$/gm, (line, error: string) =>
          named.has(error) ? line : '',
        )
      return { contents }
    })
  },
})

/**
 * Gives the size of the bundle, bytes. `into`: folder for the file and the zip. The path inside of the zip is always
 * dist/<name>/index.cjs.
 */
export const bundle = async (
  root: string,
  name: string,
  into = join(root, 'dist'),
  entry = entryOf(root, name),
): Promise<number> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(into, name, 'index.cjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    // An ES import of a builtin reads every export. Of node:http that loads undici, 72 ms of every cold start on Node 24
    // (nodejs/node#59686).
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins: [leaveOut(root), shakeSchemas(errorsNamed(root))],
    metafile: true,
    logLevel: 'error',
  })
  const code = { name: `dist/${name}/index.cjs`, content: readFileSync(join(into, name, 'index.cjs')) }
  const roots = { name: AMAZON_ROOTS, content: readFileSync(join(root, 'infra/amazon-roots.pem')) }
  writeFileSync(join(into, `${name}.zip`), zipOf(code, ...(callsAwsAlone(name) ? [roots] : [])))
  const [output] = Object.values(metafile.outputs)
  return output?.bytes ?? 0
}
