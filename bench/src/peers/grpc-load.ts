import { fileURLToPath } from 'node:url'
import type { LoadResult } from './figure.ts'
import type { Stage } from './stage.ts'

export interface GrpcLoad {
  readonly call: 'Draw' | 'DrawStream'
  readonly port: number
  readonly inFlight: number
  /** Draws of one request. */
  readonly count: number
}

const generator = fileURLToPath(new URL('./grpc-load-process.ts', import.meta.url))

/** Throws where a request was refused. */
export async function loadGrpc(
  stage: Stage,
  { call, port, inFlight, count }: GrpcLoad,
  seconds: number,
): Promise<LoadResult> {
  const numbers = [port, inFlight, count, seconds].map(String)
  const printed = await stage.run(process.execPath, ['--conditions=source', generator, call, ...numbers])
  const { requests, seconds: taken } = JSON.parse(printed) as { requests: number; seconds: number }
  return { rate: requests / taken, requests }
}
