import { KujiError, limits } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import type { DrawMessage, DrawStreamMessage } from './requests.ts'

/** What an answer may take, by the path of its call; of a draw, as many items as it asks for. */
const weights: Readonly<Record<string, number>> = {
  '/kuji.v1.Kuji/GetPool': limits.drawCount,
  '/kuji.v1.Kuji/ListPools': serverLimits.pageSize,
  '/kuji.v1.Kuji/GetReceipt': limits.drawCount,
}

/** Items of a receipt that take as much memory as the answer to a request may. */
export function weightOf(path: string, message: unknown): number {
  if (message instanceof KujiError) return 1
  switch (path) {
    case '/kuji.v1.Kuji/Draw':
      return drawsOf(message as DrawMessage)
    case '/kuji.v1.Kuji/DrawStream':
      return drawsOf((message as DrawStreamMessage).draw)
    default:
      return weights[path] ?? 1
  }
}

function drawsOf({ count = 1 }: DrawMessage = {}): number {
  // More than may be asked for is refused, and takes nothing.
  return Math.max(1, Math.min(count, serverLimits.grpcAnswerItems))
}
