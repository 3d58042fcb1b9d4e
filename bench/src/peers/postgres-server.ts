import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaign } from './campaign.ts'
import { findProgram, pathOf } from './programs.ts'
import type { Stage } from './stage.ts'
import { freePort } from './stage.ts'

/** PostgreSQL with the campaign's tables and the function of one draw. */
export interface PostgresPeer {
  /** pgbench for so many seconds: draws a second. */
  draw(clients: number, seconds: number): Promise<number>
}

const { items, stock } = campaign

/** No less safe than the default, and without what only replicas and reports need. */
const tuning = [
  ...['fsync=on', 'synchronous_commit=on', 'full_page_writes=on', 'wal_level=minimal', 'max_wal_senders=0'],
  ...['shared_buffers=256MB', 'max_wal_size=8GB', 'checkpoint_timeout=30min', 'jit=off', 'track_counts=on'],
]

/**
 * Each item is a row, so that draws of different items do not wait for each other: the row's lock is held until the
 * commit is on the device. The draw's own number comes from a sequence, which may have gaps.
 */
function schema(): string {
  const rows = items.map(({ id, weight }, k) => `(${k + 1}, '${id}', ${weight}, ${stock})`)
  const cases = items.map((_, k) => {
    const sum = items.slice(0, k + 1).reduce((all, { weight }) => all + weight, 0)
    return `WHEN r < ${sum} THEN ${k + 1}`
  })
  const total = items.reduce((all, { weight }) => all + weight, 0)
  return `
CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, weight int NOT NULL, remaining bigint NOT NULL)
  WITH (fillfactor = 50);
INSERT INTO item VALUES ${rows.join(', ')};
CREATE TABLE draw (id bigint GENERATED ALWAYS AS IDENTITY, item int NOT NULL, at timestamptz NOT NULL);
CREATE FUNCTION draw_one() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r double precision := random() * ${total};
  chosen int := CASE ${cases.join(' ')} END;
  drawn text;
BEGIN
  UPDATE item SET remaining = remaining - 1 WHERE id = chosen AND remaining > 0 RETURNING name INTO drawn;
  WHILE drawn IS NULL LOOP
    -- Out of stock: among those that are left, in proportion.
    SELECT id INTO chosen FROM item WHERE remaining > 0 ORDER BY -ln(1 - random()) / weight LIMIT 1;
    IF chosen IS NULL THEN RAISE EXCEPTION 'POOL_EMPTY'; END IF;
    UPDATE item SET remaining = remaining - 1 WHERE id = chosen AND remaining > 0 RETURNING name INTO drawn;
  END LOOP;
  INSERT INTO draw (item, at) VALUES (chosen, now());
  RETURN drawn;
END $$;
`
}

/** PostgreSQL refuses to run as root: another user's name to run it as, where that is who we are. */
interface OtherUser {
  readonly uid: number
  readonly gid: number
}

export async function startPostgres(stage: Stage): Promise<PostgresPeer> {
  const port = await freePort()
  const data = stage.newDirectory('postgres')
  const user = process.getuid?.() === 0 ? await otherUser(stage) : null
  if (user !== null) chownSync(data, user.uid, user.gid)
  const as = (program: 'initdb' | 'postgres', ...args: string[]): [string, string[]] => {
    if (user === null) return [pathOf(program), args]
    const ids = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups']
    return [pathOf('setpriv'), [...ids, pathOf(program), ...args]]
  }
  await stage.run(...as('initdb', '-D', data, '-U', 'kuji', '-A', 'trust', '-E', 'UTF8', '--no-sync'))
  const [command, args] = as('postgres', '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '')
  const database = ['-h', '127.0.0.1', '-p', String(port), '-U', 'kuji']
  const psql = (...more: string[]): Promise<string> =>
    stage.run(pathOf('psql'), [...database, '-X', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', ...more])
  await stage.serve({
    name: 'postgres',
    command,
    args: [...args, ...tuning.flatMap(setting => ['-c', setting])],
    directory: stage.directory,
    // A fast shutdown: it does not wait for clients.
    stopSignal: 'SIGINT',
    isReady: async () => (await psql('-At', '-c', 'SELECT 1')).trim() === '1',
  })
  await psql('-q', '-c', schema())
  const script = join(stage.directory, 'draw.sql')
  writeFileSync(script, 'SELECT draw_one();\n')
  return {
    draw: async (clients, seconds) => {
      const load = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-f', script]
      const duration = String(Math.max(1, Math.round(seconds)))
      const printed = await stage.run(pathOf('pgbench'), [...database, ...load, '-T', duration, 'postgres'])
      const rate = Number(/^tps = ([\d.]+)/m.exec(printed)?.[1])
      if (!(rate > 0)) throw new Error(`pgbench: ${printed.trim()}`)
      return rate
    },
  }
}

async function otherUser(stage: Stage): Promise<OtherUser> {
  if (findProgram('setpriv') === undefined) throw new Error('PostgreSQL does not run as root without setpriv')
  const [uid, gid] = await Promise.all(['-u', '-g'].map(flag => idOf(stage, flag)))
  return { uid: uid!, gid: gid! }
}

async function idOf(stage: Stage, flag: string): Promise<number> {
  return Number(await stage.run('id', [flag, 'postgres']).catch(() => stage.run('id', [flag, 'nobody'])))
}
