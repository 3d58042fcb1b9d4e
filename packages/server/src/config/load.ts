import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Durability, PoolManifest } from '@kuji/engine/contract'
import { KujiError } from '@kuji/engine/contract'
import { Compile } from 'typebox/compile'
import { systemReason } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import { type Fault, faultsOf, fieldName } from '../schema/faults.ts'
import { parseYaml, type YamlDocument } from './document.ts'
import { type DoorAddresses, readDoors } from './doors.ts'
import { findPoolFaults } from './pool-faults.ts'
import { sampleConfiguration } from './sample.ts'
import { type ConfigurationDocument, ConfigurationSchema, defaults } from './schema.ts'

/** A configuration that has passed every check, its paths absolute. */
export interface Configuration extends DoorAddresses {
  readonly dir: string
  readonly durability: Durability
  readonly segmentBytes?: number
  readonly retention?: 'archive' | 'remove'
  readonly pools: readonly PoolManifest[]
}

const check = Compile(ConfigurationSchema)

/**
 * Reads and checks a configuration; without a file, the sample one, relative to the working directory. Throws
 * `INVALID` with all that is wrong, one line each: `file:line:column: field: what was expected`.
 */
export async function loadConfiguration(file?: string): Promise<Configuration> {
  const text = file === undefined ? sampleConfiguration : await readConfiguration(file)
  const name = file ?? 'built-in configuration'
  const document = parseYaml(text, name)
  if (document.errors.length > 0) refuse(name, document.errors)
  const refuseFaults = (faults: readonly Fault[]) => {
    if (faults.length > 0) refuse(name, describeFaults(document, faults))
  }
  refuseFaults(faultsOf(check, ConfigurationSchema, document.value))
  const value = document.value as ConfigurationDocument
  const pools = value.pools ?? []
  const { faults, ...doors } = readDoors(value)
  refuseFaults([...faults, ...(await findPoolFaults(pools))])
  return {
    dir: resolve(file === undefined ? '.' : dirname(file), value.data ?? defaults.data),
    durability: value.durability ?? defaults.durability,
    ...(value.segmentBytes === undefined ? {} : { segmentBytes: value.segmentBytes }),
    ...(value.retention === undefined ? {} : { retention: value.retention }),
    ...doors,
    pools,
  }
}

async function readConfiguration(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > serverLimits.configurationBytes) {
      throw new KujiError(
        'TOO_LARGE',
        `${file} has ${size} bytes, at most ${serverLimits.configurationBytes}`,
      )
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof KujiError) throw error
    throw new KujiError('INVALID', `cannot read the configuration ${file}: ${systemReason(error)}`)
  }
}

function describeFaults(document: YamlDocument, faults: readonly Fault[]): string[] {
  return faults.map(({ path, onKey, message }) => {
    const field = fieldName(path)
    return `${document.place(path, onKey)}: ${field === '' ? '' : `${field}: `}${message}`
  })
}

function refuse(name: string, lines: readonly string[]): never {
  const count = lines.length === 1 ? 'one error' : `${lines.length} errors`
  throw new KujiError('INVALID', [`${name} has ${count}`, ...lines].join('\n'))
}
