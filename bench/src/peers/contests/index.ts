import type { Contest } from '../contest.ts'
import { idleAndSlow } from './connections.ts'
import { grpc } from './grpc.ts'
import { http } from './http.ts'
import { postgres } from './postgres.ts'
import { redisScripts, redisWithLog, redisWithoutLog } from './redis.ts'

/** All contests, in the order of the report. A new one is a file beside this one and a line here. */
export const contests: readonly Contest[] = [
  redisWithLog,
  redisWithoutLog,
  redisScripts,
  http,
  grpc,
  postgres,
  idleAndSlow,
]
