import { serverLimits } from '../limits.ts'
import type { Command } from './command.ts'
import { drawUsage, readDrawOptions } from './draw-options.ts'

export const drawCommand: Command = {
  name: 'DRAW',
  usage: drawUsage,
  summary: 'Draws items; answers with the first draw number and then the items.',
  group: 'pool',
  least: 2,
  most: serverLimits.respArguments,
  run: (context, args) => {
    context.draw(args.id(1), readDrawOptions(args))
    return null
  },
}
