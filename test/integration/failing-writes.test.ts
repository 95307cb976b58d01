import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { createExecutionJournal, type ExecutionJournal } from '../../src/storage/execution-journal.ts'
import { JOURNAL_MIGRATIONS } from '../../src/storage/migrations.ts'
import { tempDir } from '../unit/storage/temp-dir.ts'
import { eventually } from './support/eventually.ts'
import { mountSmallDisk } from './support/small-disk.ts'

const PAGE_BYTES = 4_096
const CALLER = 'peer'
type Acknowledged = Map<string, 'started' | 'done'>

function openJournal(file: string, bootId: string): ExecutionJournal {
  const database = openDatabase(file, { migrations: JOURNAL_MIGRATIONS, synchronous: 'full' })
  const journal = createExecutionJournal(database, { bootId, retryMs: 20 })
  onTestFinished(() => {
    journal[Symbol.dispose]()
    database.close()
  })
  return journal
}

/** What a daemon that starts now would know less of than it had said. */
function lostIn(file: string, acknowledged: Acknowledged): string[] {
  const journal = openJournal(file, 'next')
  journal.recover()
  return [...acknowledged].flatMap(([id, said]) => {
    const state = journal.find(CALLER, id)?.state
    const isKept = state === 'done' || (said === 'started' && state === 'interrupted')
    return isKept ? [] : [`${id} was ${said} and is ${state}`]
  })
}

/** Starts and ends calls, four at a time, until the disk refuses one; resolves with those that it refused to end. */
async function writeUntilRefused(journal: ExecutionJournal, acknowledged: Acknowledged): Promise<string[]> {
  const refused: string[] = []
  let isFull = false
  const worker = async (name: number): Promise<void> => {
    for (let n = 0; !isFull; n += 1) {
      const id = `${name}-${n}`
      try {
        await journal.start({ caller: CALLER, id, fn: 'f' })
      } catch (error) {
        expect(error).toMatchObject({ reason: 'storage_failed' })
        isFull = true
        return
      }
      acknowledged.set(id, 'started')
      try {
        await journal.finish(CALLER, id, { state: 'done', result: new Uint8Array(n % 500) })
        acknowledged.set(id, 'done')
      } catch (error) {
        expect(error).toMatchObject({ reason: 'storage_failed' })
        refused.push(id)
      }
    }
  }
  await Promise.all([1, 2, 3, 4].map(worker))
  return refused
}

test('a disk that is full after n pages, n = 0 to 100: nothing that was acknowledged is lost, and it goes on when there is room', async ({
  skip,
}) => {
  const disk = mountSmallDisk(4)
  if (disk === undefined) return skip('a disk to fill can be mounted by root on Linux only')
  onTestFinished(() => disk[Symbol.dispose]())
  let refusedInAll = 0
  for (let pages = 0; pages <= 100; pages += 1) {
    const folder = join(disk.folder, 'now')
    mkdirSync(folder)
    const file = join(folder, 'journal.db')
    {
      const database = openDatabase(file, { migrations: JOURNAL_MIGRATIONS, synchronous: 'full' })
      using _ = database
      using journal = createExecutionJournal(database, { bootId: 'first', retryMs: 20 })
      const acknowledged: Acknowledged = new Map()
      disk.fill(pages * PAGE_BYTES)
      const refused = await writeUntilRefused(journal, acknowledged)
      refusedInAll += refused.length
      // As after a kill -9: another process sees the files as they are.
      const copy = tempDir()
      cpSync(folder, copy, { recursive: true })
      expect(lostIn(join(copy, 'journal.db'), acknowledged), `after ${pages} pages`).toEqual([])
      // What it could not write it knows all the same.
      expect(refused.filter((id) => journal.find(CALLER, id)?.state !== 'done')).toEqual([])

      disk.free()
      for (const id of refused) acknowledged.set(id, 'done')
      const states = database.prepare(`SELECT count(*) AS n FROM executions WHERE state = 'done'`)
      await eventually(
        () => states.get()?.['n'] === [...acknowledged.values()].filter((s) => s === 'done').length,
      )
      expect(await journal.start({ caller: CALLER, id: 'after', fn: 'f' })).toBe('started')
      const later = tempDir()
      cpSync(folder, later, { recursive: true })
      expect(lostIn(join(later, 'journal.db'), acknowledged.set('after', 'started'))).toEqual([])
    }
    disk.clear('now')
  }
  // Some were cut off between their start and their end, else this has shown nothing of ends.
  expect(refusedInAll).toBeGreaterThan(10)
})

test('files that may not grow beyond n KiB, n = 88 to 400: nothing that was acknowledged is lost', ({
  skip,
}) => {
  if (process.platform === 'win32') return skip('there is no limit of file sizes on Windows')
  const child = join(import.meta.dirname, '../unit/storage/journal-child.ts')
  for (let kib = 88; kib <= 400; kib += 24) {
    const file = join(tempDir(), 'journal.db')
    const script = `ulimit -f ${kib * 2}; exec "$0" "$@"`
    const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, child, file, 'boot'])
    expect(String(stderr)).toContain('storage_failed')
    const acknowledged: Acknowledged = new Map()
    for (const line of String(stdout).split('\n').slice(0, -1)) {
      const [state, id] = line.split(' ') as ['started' | 'done', string]
      acknowledged.set(id, state)
    }
    expect(acknowledged.size, `${kib} KiB`).toBeGreaterThan(0)
    expect(lostIn(file, acknowledged), `after ${kib} KiB`).toEqual([])
  }
})
