import type { PoolManifest } from '@kuji/engine/contract'
import { Compile } from 'typebox/compile'
import { type Fault, faultsOf } from '../schema/faults.ts'
import { PoolManifestSchema } from '../schema/manifest.ts'
import { parseYaml } from './document.ts'
import { describeFaults, readConfiguration, refuse } from './load.ts'
import { findPoolFaults } from './pool-faults.ts'
import { type ConfigurationDocument, ConfigurationSchema } from './schema.ts'

const checkConfiguration = Compile(ConfigurationSchema)
const checkManifest = Compile(PoolManifestSchema)

/** The pools of a file, and what kind of file it is. */
export interface PoolFile {
  readonly kind: 'configuration' | 'manifest'
  readonly text: string
  readonly pools: readonly PoolManifest[]
}

/**
 * Reads the pools of a configuration, or one manifest (YAML or JSON), which is told by its `items`. What else stands in
 * a configuration is checked for its shape alone: its certificates, say, may be on another machine. Throws `INVALID`
 * as `loadConfiguration` does.
 */
export async function loadPools(file: string): Promise<PoolFile> {
  const text = await readConfiguration(file)
  const document = parseYaml(text, file)
  if (document.errors.length > 0) refuse(file, document.errors)
  const refuseFaults = (faults: readonly Fault[]) => {
    if (faults.length > 0) refuse(file, describeFaults(document, faults))
  }
  const value = document.value ?? {}
  if (typeof value === 'object' && Object.hasOwn(value, 'items')) {
    refuseFaults(faultsOf(checkManifest, PoolManifestSchema, value))
    const pools = [value as PoolManifest]
    // Without `pools[0]`, which is not in the file.
    refuseFaults((await findPoolFaults(pools)).map(fault => ({ ...fault, path: fault.path.slice(2) })))
    return { kind: 'manifest', text, pools }
  }
  refuseFaults(faultsOf(checkConfiguration, ConfigurationSchema, value))
  const { pools = [] } = value as ConfigurationDocument
  refuseFaults(await findPoolFaults(pools))
  return { kind: 'configuration', text, pools }
}
