import type { TargetPlace } from '../target.ts'

/** What there is to fuzz. */
export const places: readonly TargetPlace[] = [
  { name: 'resp', module: new URL('./resp.ts', import.meta.url).href },
  { name: 'http', module: new URL('./http.ts', import.meta.url).href },
  { name: 'snapshot', module: new URL('./snapshot.ts', import.meta.url).href },
  { name: 'log', module: new URL('./log.ts', import.meta.url).href },
  { name: 'grpc', module: new URL('./grpc.ts', import.meta.url).href },
  { name: 'config', module: new URL('./config.ts', import.meta.url).href },
]
