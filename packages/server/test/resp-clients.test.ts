import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { openDoor } from './support/resp-door.ts'

const run = promisify(execFile)

/** False where a program is there, else what a skipped suite says. */
function missing(name: string, packageName: string, ...check: [string, ...string[]]): string | false {
  const [program, ...words] = check
  return spawnSync(program, words).status === 0
    ? false
    : `${name} is not here: apt-get install ${packageName}`
}

const python = '/usr/bin/python3'
const noRedisCli = missing('redis-cli', 'redis-tools', 'redis-cli', '--version')
const noBenchmark = missing('redis-benchmark', 'redis-tools', 'redis-benchmark', '--version')
const noRedisPy = missing('redis-py', 'python3-redis', python, '-c', 'import redis')

const keys = { secret: ['draw', 'read', 'admin'] } as const

suite('redis-cli', { skip: noRedisCli }, () => {
  test('draws, lists pools, tells refusals, in both versions of the protocol', async context => {
    const { port } = await openDoor(context)
    const cli = async (...words: string[]) => (await run('redis-cli', ['-p', `${port}`, ...words])).stdout
    assert.match(await cli('DRAW', 'summer'), /^1\n(?:mud|diamond)\n$/)
    assert.match(await cli('-3', 'DRAW', 'summer', 'COUNT', '2'), /^2\n(?:(?:mud|diamond)\n){2}$/)
    assert.match(await cli('-3', '--json', 'POOL', 'few'), /"odds":1(?:\.0)?\b/)
    assert.match(await cli('DRAW', 'nowhere'), /^POOL_NOT_FOUND /)
    assert.match(await cli('INFO'), /loading:0/)
  })

  test('reads commands from a stream, as a script or a person sends them', async context => {
    const { port } = await openDoor(context)
    const child = run('redis-cli', ['-p', `${port}`])
    child.child.stdin!.end('PING\nDRAW few\nDRAW few COUNT 9\n')
    assert.match((await child).stdout, /^PONG\n1\nlast\nINSUFFICIENT_STOCK /)
  })

  test('logs in', async context => {
    const { port } = await openDoor(context, { keys })
    const words = ['-p', `${port}`, '--no-auth-warning', '-3', '--pass', 'secret', 'DRAW', 'few']
    assert.equal((await run('redis-cli', words)).stdout, '1\nlast\n')
  })
})

suite('redis-benchmark', { skip: noBenchmark }, () => {
  test('runs, and every request of it is a draw', async context => {
    const { port, kuji } = await openDoor(context)
    for (const pipeline of ['1', '16']) {
      const words = ['-p', `${port}`, '-c', '8', '-n', '2000', '-P', pipeline, '-q', 'DRAW', 'summer']
      const { stdout, stderr } = await run('redis-benchmark', words)
      assert.match(stdout, /requests per second/)
      assert.equal(stderr, '')
    }
    assert.equal((await kuji.pool('summer')).drawn, 4000)
  })
})

suite('ioredis', () => {
  test('connects with its own checks, pipelines, and tells errors by code', async context => {
    const { port, lines } = await openDoor(context, { keys })
    const redis = new Redis({ host: '127.0.0.1', port, password: 'secret', connectionName: 'till', db: 0 })
    context.after(() => redis.disconnect())
    assert.deepEqual(await redis.call('DRAW', 'few'), [1, 'last'])
    assert.equal(await redis.ping(), 'PONG')
    assert.equal(await redis.client('GETNAME'), 'till')
    const pipelined = await redis
      .pipeline()
      .call('DRAW', 'few')
      .call('DRAW', 'few')
      .call('DRAW', 'few')
      .exec()
    assert.deepEqual(pipelined!.slice(0, 2), [
      [null, [2, 'last']],
      [null, [3, 'last']],
    ])
    assert.match(String(pipelined![2]![0]), /POOL_EMPTY/)
    const many = await Promise.all(Array.from({ length: 500 }, () => redis.call('DRAW', 'summer')))
    assert.deepEqual(
      many.map(reply => (reply as unknown[])[0]),
      Array.from(many, (_, k) => k + 4),
    )
    assert.equal(await redis.quit(), 'OK')
    assert.deepEqual(lines, [])
  })
})

suite('node-redis', () => {
  for (const version of [2, 3] as const) {
    test(`connects and draws in RESP${version}`, async context => {
      const { port } = await openDoor(context, { keys })
      const client = createClient({
        url: `redis://any:secret@127.0.0.1:${port}`,
        name: 'till',
        RESP: version,
      })
      client.on('error', error => assert.fail(error))
      await client.connect()
      assert.deepEqual(await client.sendCommand(['DRAW', 'few', 'KEY', 'order-1']), [1, 'last'])
      assert.deepEqual(await client.sendCommand(['DRAW', 'few', 'KEY', 'order-1']), [1, 'last'])
      assert.equal(await client.ping(), 'PONG')
      assert.equal(await client.clientGetName(), 'till')
      const many = await Promise.all(
        Array.from({ length: 500 }, () => client.sendCommand(['DRAW', 'summer'])),
      )
      assert.deepEqual(
        many.map(reply => (reply as unknown as unknown[])[0]),
        Array.from(many, (_, k) => k + 2),
      )
      await assert.rejects(client.sendCommand(['DRAW', 'few', 'COUNT', '9']), /INSUFFICIENT_STOCK/)
      await client.close()
    })
  }
})

const script = `
import sys, redis
client = redis.Redis(port=int(sys.argv[1]), password='secret', client_name='till', decode_responses=True)
assert client.ping()
assert client.execute_command('DRAW', 'few') == [1, 'last']
assert client.client_getname() == 'till'
assert client.info()['loading'] == 0
pipe = client.pipeline(transaction=False)
for _ in range(500): pipe.execute_command('DRAW', 'summer')
assert [reply[0] for reply in pipe.execute()] == list(range(2, 502))
try:
    client.execute_command('DRAW', 'few', 'COUNT', 9)
    sys.exit('no refusal')
except redis.ResponseError as error:
    assert str(error).startswith('INSUFFICIENT_STOCK '), error
try:
    redis.Redis(port=int(sys.argv[1])).ping()
    sys.exit('no key was needed')
except redis.RedisError as error:
    assert 'UNAUTHENTICATED' in str(error), error
print('done')
`

suite('redis-py', { skip: noRedisPy }, () => {
  test('connects, draws, pipelines and raises refusals', async context => {
    const { port } = await openDoor(context, { keys })
    const { stdout } = await run(python, ['-c', script, `${port}`])
    assert.equal(stdout, 'done\n')
  })
})
