/**
 * What has to happen in a thousand seeds, by the names that runs count by: each kind of fault, of operation and of what
 * the engine does about it. A change that leaves one out by mistake would take what it finds with it.
 */
const faults = [
  ...['kill', 'kill, not up', 'power cut', 'power cut, not up', 'kill while it closes'],
  ...['sector lost with the power', 'sector landed unsynced', 'sectors landed out of order'],
  ...['name lost with the power', 'short write', 'write of nothing', 'ENOSPC from writeSync'],
  ...['EIO from writeSync', 'EIO from sync', 'EIO from read', 'EIO from readStart', 'EIO from rename'],
  ...['EIO from remove', 'EIO from list', 'EIO from create', 'EIO from open', 'EDQUOT from writeSync'],
  ...['EMFILE from open', 'EMFILE from create', 'EROFS from writeSync', 'EROFS from rename'],
  ...['EACCES from open', 'EACCES from create', 'slow disk for a while', 'full device for a while'],
  ...['ENOSPC from create', 'ENOSPC from rename', 'EDQUOT from create', 'EDQUOT from rename'],
  ...['sync fails once', 'syncDirectory fails once', 'writeSync fails once', 'rename fails once'],
  ...['slow sync', 'slow syncDirectory', 'slow rename', 'slow read'],
  ...['clock set', 'bit rot', 'sector of zeros', 'lost write', 'misdirected write', 'lost file'],
  ...['swapped files', 'second process', 'start with wrong rules for keys'],
]
const operations = [
  ...['draw', 'drawMany', 'draw with a key', 'draw again by its key', 'put', 'restock', 'reweigh'],
  ...['pause', 'resume', 'close', 'delete', 'read', 'receipt', 'refused'],
]
const answers = [
  ...['KEY_CONFLICT', 'POOL_NOT_FOUND', 'ITEM_NOT_FOUND', 'DRAW_NOT_FOUND', 'POOL_EMPTY', 'POOL_PAUSED'],
  ...['POOL_CLOSED', 'INSUFFICIENT_STOCK', 'VERSION_CONFLICT', 'INVALID', 'READ_ONLY', 'OUTCOME_UNKNOWN'],
]
const events = [
  ...['recovered', 'torn-batch-cut', 'leftover-removed', 'snapshot-written', 'snapshot-refused'],
  ...['segment-archived', 'disk-full', 'disk-room', 'log-failed', 'helper-failed', 'keys-full'],
]
const lives = [
  ...['starts', 'starts with other rules for keys', 'starts refused, EIO', 'starts refused, CORRUPT'],
  ...['orderly ends', 'repairs', 'batches lost to damage'],
  ...['batches that nobody was answered for, and recovery found'],
]
const runs = [
  'sectors of 512 bytes',
  'sectors of 4096 bytes',
  'durability sync',
  'durability os',
  'ended, end',
]

const groups = {
  fault: faults,
  operation: operations,
  answer: answers,
  event: events,
  life: lives,
  run: runs,
}

export const happenings: readonly string[] = Object.entries(groups).flatMap(([group, names]) =>
  names.map(name => `${group}: ${name}`),
)
