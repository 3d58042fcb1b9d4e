import { deviceEpisodes } from './devices.ts'
import { processEpisodes } from './processes.ts'

export type { Episode } from './episode.ts'

/** Everything that can happen beside kill -9. */
export const episodes = [...processEpisodes, ...deviceEpisodes]
