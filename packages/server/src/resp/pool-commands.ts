import { KujiError, limits, type PoolManifest } from '@kuji/engine/contract'
import { parseJson } from '../bounded-json.ts'
import { serverLimits } from '../limits.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type CommandContext, callerOf, wrongUsage } from './command.ts'
import { poolReply, receiptReply, summariesReply, summaryReply } from './pool-replies.ts'
import type { Reply } from './reply-writer.ts'

/** As much as a connection may have under way: no other command is taken up beside it. */
const heavy = serverLimits.respAnswerItems

/** Pools and receipts. `DRAW` is in the connection itself, being what this protocol is for. */
export const poolCommands: readonly Command[] = [
  {
    name: 'POOL',
    usage: 'pool',
    summary: 'A pool with its stock, and the odds of the next draw.',
    group: 'pool',
    least: 2,
    most: 2,
    weight: heavy,
    run: async (context, args) => poolReply(await context.service.pool(callerOf(context), args.id(1))),
  },
  {
    name: 'POOLS',
    usage: '[AFTER id] [LIMIT n]',
    summary: 'Pools in the order of their ids.',
    group: 'pool',
    least: 1,
    most: 5,
    weight: heavy,
    run: listPools,
  },
  {
    name: 'PUTPOOL',
    usage: 'pool json',
    summary: 'Creates a pool, or gives it a new version of its rules.',
    group: 'pool',
    least: 3,
    most: 3,
    run: putPool,
  },
  {
    name: 'RESTOCK',
    usage: 'pool item n',
    summary: 'Adds units to an item.',
    group: 'pool',
    least: 4,
    most: 4,
    run: restock,
  },
  {
    name: 'RECEIPT',
    usage: 'id',
    summary: 'The receipt that holds a draw number, where it was drawn with a key.',
    group: 'pool',
    least: 2,
    most: 2,
    weight: limits.drawCount,
    run: async (context, args) => {
      const id = args.wholeNumber(1, 'id')
      return receiptReply(await context.service.receipt(callerOf(context), id))
    },
  },
  notYet('CONFIRM'),
  notYet('RELEASE'),
]

async function listPools(context: CommandContext, args: Arguments): Promise<Reply> {
  let after: string | undefined
  let limit: number | undefined
  for (let at = 1; at < args.count; at += 2) {
    const last = at + 1 === args.count
    if (args.is(at, 'AFTER') && after === undefined && !last) after = args.text(at + 1)
    else if (args.is(at, 'LIMIT') && limit === undefined && !last) limit = readLimit(args, at + 1)
    else throw wrongUsage({ name: 'POOLS', usage: '[AFTER id] [LIMIT n]' })
  }
  const options = { limit: limit ?? serverLimits.defaultPageSize, ...(after === undefined ? {} : { after }) }
  return summariesReply(await context.service.pools(callerOf(context), options))
}

function readLimit(args: Arguments, index: number): number {
  const limit = args.wholeNumber(index, 'limit')
  if (limit >= 1 && limit <= serverLimits.pageSize) return limit
  throw new KujiError('INVALID', `limit: expected a whole number from 1 to ${serverLimits.pageSize}`)
}

async function putPool(context: CommandContext, args: Arguments): Promise<Reply> {
  const name = args.text(1)
  const rules = parseJson(Buffer.from(args.exactText(2, 'json')), 'the manifest')
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
    throw new KujiError('INVALID', 'json: expected an object')
  // The engine judges what is in it, as it does for a call of the library.
  const { id = name, ...rest } = rules as Partial<PoolManifest>
  if (id !== name) throw new KujiError('INVALID', `id: expected "${name}", the pool that is named, or none`)
  const result = await context.service.putPool(callerOf(context), { id, ...rest } as PoolManifest)
  return out => {
    out.map(4)
    out.text('id')
    out.text(result.id)
    out.text('version')
    out.integer(result.version)
    out.text('created')
    out.boolean(result.created)
    out.text('changed')
    out.boolean(result.changed)
  }
}

async function restock(context: CommandContext, args: Arguments): Promise<Reply> {
  const units = args.wholeNumber(3, 'n')
  const change = { restock: units }
  return summaryReply(await context.service.updateItem(callerOf(context), args.id(1), args.id(2), change))
}

function notYet(name: string): Command {
  const run = () => {
    throw new KujiError('INVALID', `${name}: holds are not in this version`)
  }
  return { name, usage: 'id', summary: 'Not in this version.', group: 'pool', least: 1, most: 64, run }
}
