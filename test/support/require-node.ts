/** Vitest starts on any Node; this project does not. Bites when optional dependencies were omitted. */
export function setup(): void {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 24) throw new Error(`tests need Node 24 or newer, this is ${process.version}: run "npm ci" first`)
}
