// Preloaded by every npm script: a clear error on an older Node instead of a syntax error from a .ts file.
// On Linux the root package brings Node 24 itself (optionalDependencies); elsewhere the user's own must be >= 24.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `mintmark needs Node 24 or newer; this is ${process.version}. On Linux run "npm ci" (without --omit=optional) and ` +
      'start it with "npm start" or "npm run ...": the project brings its own Node 24. Elsewhere install Node 24 or newer.\n',
  )
  process.exit(2)
}
