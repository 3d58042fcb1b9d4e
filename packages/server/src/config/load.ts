import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Durability, PoolManifest } from '@kuji/engine/contract'
import { KujiError, limits } from '@kuji/engine/contract'
import { Compile } from 'typebox/compile'
import type { ApiKey } from '../access/api-key.ts'
import { systemReason } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { LogFormat, LogLevel } from '../logger.ts'
import { type Fault, faultsOf, fieldName, show } from '../schema/faults.ts'
import { readApiKeys } from './api-keys.ts'
import { parseYaml, type YamlDocument } from './document.ts'
import { type DoorAddresses, readDoors } from './doors.ts'
import { parseDuration } from './duration.ts'
import { findPoolFaults } from './pool-faults.ts'
import { sampleConfiguration } from './sample.ts'
import { type ConfigurationDocument, ConfigurationSchema, defaults } from './schema.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

/** A configuration that has passed every check, its paths absolute. */
export interface Configuration extends DoorAddresses {
  readonly dir: string
  readonly durability: Durability
  readonly segmentBytes?: number
  readonly retention?: 'archive' | 'remove'
  readonly tls?: TlsFiles
  readonly apiKeys: readonly ApiKey[]
  /** How long keys of draws are kept, and how many; what is absent stays as the log has it. */
  readonly idempotency: { readonly retentionMs?: number; readonly most?: number }
  readonly log: { readonly level: LogLevel; readonly format: LogFormat }
  readonly pools: readonly PoolManifest[]
}

/** Errors of a file that are listed. */
const toldErrors = 20

const check = Compile(ConfigurationSchema)

/**
 * Reads and checks a configuration; without a file, the sample one, relative to the working directory. `read` is its
 * text, where that has been read already: a pipe can be read once. Throws
 * `INVALID` with all that is wrong, one line each: `file:line:column: field: what was expected`.
 */
export async function loadConfiguration(file?: string, read?: string): Promise<Configuration> {
  const text = read ?? (file === undefined ? sampleConfiguration : await readConfiguration(file))
  const name = file ?? 'built-in configuration'
  const document = parseYaml(text, name)
  if (document.errors.length > 0) refuse(name, document.errors)
  const refuseFaults = (faults: readonly Fault[]) => {
    if (faults.length > 0) refuse(name, describeFaults(document, faults))
  }
  // A file in which nothing stands is one in which all is as it is by default.
  const written = document.value ?? {}
  refuseFaults(faultsOf(check, ConfigurationSchema, written))
  const value = written as ConfigurationDocument
  const pools = value.pools ?? []
  const { doors, faults: doorFaults } = readDoors(value)
  const { apiKeys, faults: keyFaults } = readApiKeys(value.apiKeys ?? [])
  const { idempotency, faults: idempotencyFaults } = readIdempotency(value.idempotency ?? {})
  const base = file === undefined ? '.' : dirname(file)
  const tls = value.tls && (await readTlsFiles(value.tls, base))
  const tlsFaults = Array.isArray(tls) ? tls : []
  refuseFaults([
    ...doorFaults,
    ...tlsFaults,
    ...keyFaults,
    ...idempotencyFaults,
    ...(await findPoolFaults(pools)),
  ])
  return {
    dir: resolve(base, value.data ?? defaults.data),
    durability: value.durability ?? defaults.durability,
    ...(value.segmentBytes === undefined ? {} : { segmentBytes: value.segmentBytes }),
    ...(value.retention === undefined ? {} : { retention: value.retention }),
    ...doors,
    ...(tls === undefined ? {} : { tls: tls as TlsFiles }),
    apiKeys,
    idempotency,
    log: { level: value.log?.level ?? defaults.logLevel, format: value.log?.format ?? usualFormat() },
    pools,
  }
}

function readIdempotency({ retention, keys }: NonNullable<ConfigurationDocument['idempotency']>) {
  const retentionMs = retention === undefined ? undefined : parseDuration(retention)
  const fits =
    retentionMs === undefined ||
    (retentionMs >= limits.keyRetentionMinimumMs && retentionMs <= limits.keyRetentionMaximumMs)
  const message = `expected a duration from 1m to 90d, got ${show(retention)}`
  const faults: Fault[] = fits ? [] : [{ path: ['idempotency', 'retention'], onKey: false, message }]
  const idempotency = {
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(keys === undefined ? {} : { most: keys }),
  }
  return { idempotency, faults }
}

const usualFormat = (): LogFormat => (process.stderr.isTTY ? 'text' : 'json')

export async function readConfiguration(file: string): Promise<string> {
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

export function describeFaults(document: YamlDocument, faults: readonly Fault[]): string[] {
  return faults.map(({ path, onKey, message }) => {
    const field = fieldName(path)
    return `${document.place(path, onKey)}: ${field === '' ? '' : `${field}: `}${message}`
  })
}

export function refuse(name: string, lines: readonly string[]): never {
  const count = lines.length === 1 ? 'one error' : `${lines.length} errors`
  // What is none of kuji's at all has hundreds, of one cause.
  const more = lines.length - toldErrors
  const told = [...lines.slice(0, toldErrors), ...(more > 0 ? [`… and ${more} more`] : [])]
  throw new KujiError('INVALID', [`${name} has ${count}`, ...told].join('\n'))
}
