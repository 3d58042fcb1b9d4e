import type { PlantedBug } from '../planted-bug.ts'
import { bugsOfAnswers } from './answers.ts'
import { bugsOfChoosing } from './choosing.ts'
import { bugsOfFiles } from './files.ts'
import { bugsOfKeys } from './keys.ts'
import { bugsOfRecovery } from './recovery.ts'
import { bugsOfRules } from './rules.ts'
import { bugsOfSnapshots } from './snapshots.ts'

export const plantedBugs: readonly PlantedBug[] = [
  ...bugsOfAnswers,
  ...bugsOfFiles,
  ...bugsOfRecovery,
  ...bugsOfSnapshots,
  ...bugsOfKeys,
  ...bugsOfRules,
  ...bugsOfChoosing,
]
