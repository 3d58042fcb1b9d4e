import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KujiError } from '@kuji/engine/contract'
import { Compile } from 'typebox/compile'
import { parseYaml } from '../../../../packages/server/src/config/document.ts'
import { loadConfiguration } from '../../../../packages/server/src/config/load.ts'
import { loadPools } from '../../../../packages/server/src/config/load-pools.ts'
import { findPoolWarnings } from '../../../../packages/server/src/config/pool-warnings.ts'
import { ConfigurationSchema } from '../../../../packages/server/src/config/schema.ts'
import { PoolManifestSchema } from '../../../../packages/server/src/schema/manifest.ts'
import { mutateYaml } from '../mutate/yaml.ts'
import { Defect, type FuzzTarget } from '../target.ts'

const configuration = `data: ./data
durability: sync
segmentBytes: 65536
retention: remove
http: { listen: 127.0.0.1:7070 }
resp: { listen: "127.0.0.1:7071" }
grpc: { listen: "[::1]:7072", reflection: false }
idempotency: { retention: 12h, keys: 1000 }
log: { level: warn, format: json }
apiKeys:
  - name: web
    hash: sha256:${'ab'.repeat(32)}
    scopes: [draw, read]
    requestsPerSecond: 100
pools:
  - id: summer
    metadata: { title: "夏", n: [1, null] }
    items:
      - { id: diamond, weight: 0.5, stock: 100 }
      - { id: mud, weight: 99.5, stock: unlimited }
    fallback: mud
  - &box
    id: box
    mode: urn
    items:
      - { id: a, stock: 9 }
      - { id: last, stock: 1 }
    lastOne: last
  - { <<: *box, id: other }
`

const manifest = `# One pool.
id: spring
items:
  - id: a
    weight: 1
    stock: 0
  - id: b
    weight: 2
    stock: 3
    metadata:
      text: |
        two
        lines
`

const seeds = [
  configuration,
  configuration.replace(/ {2}- &box[\s\S]*/, ''),
  manifest,
  '{"id":"json","mode":"urn","items":[{"id":"a","stock":5},{"id":"last","stock":1}],"lastOne":"last"}',
  '{"http":{"listen":"localhost:1"},"pools":[{"id":"p","items":[{"id":"a","weight":1,"stock":"unlimited"}]}]}',
]

const isConfiguration = Compile(ConfigurationSchema)
const isManifest = Compile(PoolManifestSchema)

/** What is taken for good has to be what the schema says, an empty file apart: all that comes behind rests on it. */
function compare(kind: string, text: string): void {
  const schema = kind === 'configuration' ? isConfiguration : isManifest
  if (!schema.Check(parseYaml(text, '').value ?? {}))
    throw new Defect(`taken for a good ${kind}, and the schema refuses it`)
}

/** What kuji check does, without what it prints. */
async function check(file: string): Promise<void> {
  try {
    const { kind, text, pools } = await loadPools(file)
    compare(kind, text)
    if (kind === 'configuration') await loadConfiguration(file, text)
    for (const pool of pools) findPoolWarnings(pool)
  } catch (error) {
    const known = error instanceof KujiError && ['INVALID', 'TOO_LARGE'].includes(error.code)
    if (!known) throw error
    const [head, ...lines] = error.message.split('\n')
    // One line a mistake, whatever stands in the file.
    const told =
      /has (one error|\d+ errors)$/.test(head!) && lines.every(line => /^(?:\S+: |… and )/.test(line))
    if (!told || /[^\P{Cc}\n]/u.test(error.message)) throw new Defect(`told in another way\n${error.message}`)
  }
}

/** Configurations and manifests, as `kuji check` reads them. */
const config: FuzzTarget = {
  mostBytes: 32 * 1024,
  mutate: mutateYaml,
  async seeds() {
    return seeds.map(text => Buffer.from(text))
  },
  async open() {
    const directory = mkdtempSync(join(tmpdir(), 'kuji-fuzz-'))
    const file = join(directory, 'kuji.yaml')
    return {
      async run(input) {
        writeFileSync(file, input)
        await check(file)
      },
      async close() {
        rmSync(directory, { recursive: true })
      },
    }
  },
}

export default config
