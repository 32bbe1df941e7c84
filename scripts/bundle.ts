// One file a function, dist/<name>/index.mjs, and its zip as it is shipped. The bytes follow from the sources alone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { zipOf } from './zip.ts'

/** The AWS entry of a function; its wiring alone until it has one. */
const entryOf = (root: string, name: string): string =>
  ['lambda.ts', 'handler.ts'].map((file) => join(root, 'functions', name, file)).find(existsSync) ?? name

/**
 * An ES import of a builtin reads every export. Of node:http that loads undici, 72 ms of every cold start on Node 24
 * (nodejs/node#59686); of node:process what nobody asked for, 10 ms. Required instead, they cost 3 and less than 1.
 */
export const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^(?:node:)?(?:https?|process)$/ }, ({ path, namespace }) =>
      namespace === 'required' ? { path, external: true } : { path, namespace: 'required' },
    )
    bundler.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path.startsWith('node:') ? path : `node:${path}`}')`,
    }))
  },
}

/** The functions give their clients credentials: the chain that looks for others would be a third of every bundle. */
const noCredentialChain: Plugin = {
  name: 'no-credential-chain',
  setup(bundler) {
    bundler.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, () => ({ path: 'none', namespace: 'none' }))
    bundler.onLoad({ filter: /.*/, namespace: 'none' }, () => ({
      contents: `export const defaultProvider = () => () => Promise.reject(new Error('a client without credentials'))`,
    }))
  },
}

/**
 * Gives the size of the bundle, bytes. `into`: folder for the file and the zip. The path inside of the zip is always
 * dist/<name>/index.mjs.
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
    outfile: join(into, name, 'index.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    // CommonJS inside the bundle (and requireBuiltins) needs a require.
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    plugins: [requireBuiltins, noCredentialChain],
    metafile: true,
    logLevel: 'error',
  })
  writeFileSync(join(into, `${name}.zip`), zipOf(`dist/${name}/index.mjs`, readFileSync(join(into, name, 'index.mjs'))))
  const [output] = Object.values(metafile.outputs)
  return output?.bytes ?? 0
}
