import { campaign } from './campaign.ts'

/**
 * A weighted draw in Redis, as Lua. All of them take one unit of stock for each draw, never one that is not there,
 * and give the share of an item that has run out to the others.
 */
export interface RedisScript {
  readonly name: string
  /** Sent to `redis-cli -x`: the text goes to its standard input. It prints what `command` may refer to. */
  readonly load: readonly string[]
  readonly text: string
  /** The command of one draw; `loaded` is what the loading printed. */
  readonly command: (loaded: string) => readonly string[]
  readonly stock: RedisStock
}

/** How the stock lies in Redis. */
export interface RedisStock {
  /** Commands that set every item's stock. */
  readonly fill: (stocks: readonly number[]) => string
  /** Prints every item's stock, one a line. */
  readonly read: readonly string[]
}

const { items } = campaign
const ids = items.map(({ id }) => id)
const keys = ids.map(id => `stock:${id}`)
const list = (texts: readonly (string | number)[]): string => `{ ${texts.map(quoted).join(', ')} }`
const quoted = (value: string | number): string => (typeof value === 'string' ? `'${value}'` : String(value))

/** One string for each item: DECR changes a whole number in place. */
const strings: RedisStock = {
  fill: stocks => `DEL draws\nMSET ${keys.map((key, k) => `${key} ${stocks[k]}`).join(' ')}\n`,
  read: ['MGET', ...keys],
}

/** One hash for all items, with their weights in another, as scripts that serve any pool have it. */
const hashes: RedisStock = {
  fill: stocks =>
    `HSET stock ${ids.map((id, k) => `${id} ${stocks[k]}`).join(' ')}\n` +
    `HSET weight ${items.map(({ id, weight }) => `${id} ${weight}`).join(' ')}\n`,
  read: ['HMGET', 'stock', ...ids],
}

/** Picks by constants, takes a unit, and only where there was none looks at the stock of all. */
function body(answer: string): string {
  const sums = items.map((_, k) => items.slice(0, k + 1).reduce((sum, { weight }) => sum + weight, 0))
  const branches = items.map(({ id }, k) => {
    const chosen = `key, item = '${keys[k]}', '${id}'`
    if (k === items.length - 1) return `else ${chosen} end`
    return `${k === 0 ? 'if' : 'elseif'} r <= ${sums[k]} then ${chosen}`
  })
  return `  local r = math.random(${sums.at(-1)})
  local key, item
  ${branches.join('\n  ')}
  if redis.call('DECR', key) >= 0 then return ${answer} end
  redis.call('INCR', key)
  local keys, items, weights = ${list(keys)}, ${list(ids)}, ${list(items.map(({ weight }) => weight))}
  local left, sum = redis.call('MGET', unpack(keys)), 0
  for k = 1, #keys do
    if tonumber(left[k]) > 0 then sum = sum + weights[k] end
  end
  if sum == 0 then return redis.error_reply('POOL_EMPTY') end
  r = math.random(sum)
  for k = 1, #keys do
    if tonumber(left[k]) > 0 then
      r = r - weights[k]
      if r <= 0 then
        redis.call('DECR', keys[k])
        item = items[k]
        return ${answer}
      end
    end
  end`
}

/**
 * Every Redis process starts with the same random seed, so the first call sets another one. A local of a library
 * lives as long as the process, like the seed.
 */
function asFunction(name: string, answer: string): RedisScript {
  const text = `#!lua name=${name}
local seeded = false
local function seed()
  local now = redis.call('TIME')
  math.randomseed((now[1] * 1000003 + now[2]) % 2147483647)
  seeded = true
end
redis.register_function('${name}', function()
  if not seeded then seed() end
${body(answer)}
end)
`
  const load = ['FUNCTION', 'LOAD', 'REPLACE']
  return { name: `function ${name}`, load, text, command: () => ['FCALL', name, '0'], stock: strings }
}

function asScript(name: string, text: string, stock: RedisStock): RedisScript {
  const command = (sha: string) => ['EVALSHA', sha, '0']
  return { name: `script ${name}`, load: ['SCRIPT', 'LOAD'], text, command, stock }
}

/** Weights and stock are read from Redis for every draw, and so is the seed. */
const general = `local now = redis.call('TIME')
math.randomseed((now[1] * 1000003 + now[2]) % 2147483647)
local weights, stock = redis.call('HGETALL', 'weight'), redis.call('HGETALL', 'stock')
local left, sum = {}, 0
for k = 1, #stock, 2 do left[stock[k]] = tonumber(stock[k + 1]) end
for k = 1, #weights, 2 do
  if left[weights[k]] > 0 then sum = sum + weights[k + 1] end
end
if sum == 0 then return redis.error_reply('POOL_EMPTY') end
local r = math.random(sum)
for k = 1, #weights, 2 do
  if left[weights[k]] > 0 then
    r = r - weights[k + 1]
    if r <= 0 then
      redis.call('HINCRBY', 'stock', weights[k], -1)
      return weights[k]
    end
  end
end
`

/**
 * The fastest that was found: a function (a call of one costs less than EVALSHA), the pool's rules as constants in its
 * text, no keys in the call, one command inside.
 */
export const fastestScript = asFunction('draw', 'item')

/** The others, for what each feature costs. */
export const otherScripts: readonly RedisScript[] = [
  // The answer that kuji gives: a number without gaps, and the item.
  asFunction('numbered', "{ redis.call('INCR', 'draws'), item }"),
  asScript('constants', `${body('item')}\n`, strings),
  asScript('general', general, hashes),
]
