/** What may find a bug, the cheapest first. */
export const layerNames = ['tests', 'sim', 'bit-flips', 'crash-points', 'chaos', 'statistics'] as const

export type LayerName = (typeof layerNames)[number]

/** A place in the source and what it is made to say. */
export interface Patch {
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly put: string
}

/** A deliberate fault: what the layers of proof are themselves held to. */
export interface PlantedBug {
  readonly name: string
  /** What is wrong then, in a line. */
  readonly what: string
  readonly patches: readonly Patch[]
  /** Those that are to find it. */
  readonly layers: readonly LayerName[]
  /** Tests that are to find it: below packages/engine/test, or by their whole path; else all of the engine. */
  readonly tests?: readonly string[]
  /** Words in the name of what has to happen to real processes for it to show. */
  readonly mishap?: string
  /** The layer that finds it within seconds, for the quick run. */
  readonly quick?: LayerName
}
