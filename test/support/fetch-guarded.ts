// A process of its own that fetches one URL as the broker does, with nothing but Node's own trust: what environment and
// flags can change about it shows here. Usage: fetch-guarded.ts URL PORT
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'

const [url = '', port] = process.argv.slice(2)
const http = createGuardedHttp({
  dev: false,
  egressAllow: ['127.0.0.1/32'],
  ports: [Number(port)],
  resolve: async () => ['127.0.0.1'],
})
process.stdout.write(`${JSON.stringify(await http.get(url, { expect: 'json', bodyBytesMax: 65_536 }))}\n`)
