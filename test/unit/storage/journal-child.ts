import { openDatabase } from '../../../src/storage/database.ts'
import { createExecutionJournal } from '../../../src/storage/execution-journal.ts'
import { JOURNAL_MIGRATIONS } from '../../../src/storage/migrations.ts'

// Runs until it is killed; prints a line for each thing the journal acknowledged.
const [file = '', bootId = ''] = process.argv.slice(2)
const database = openDatabase(file, { migrations: JOURNAL_MIGRATIONS, synchronous: 'full' })
const journal = createExecutionJournal(database, { bootId })

async function worker(name: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = `${bootId}-${name}-${n}`
    await journal.start({ caller: 'peer', id, fn: 'f' })
    process.stdout.write(`started ${id}\n`)
    await journal.finish('peer', id, { state: 'done', result: Uint8Array.of(n % 256) })
    process.stdout.write(`done ${id}\n`)
  }
}

await Promise.all([1, 2, 3, 4].map(worker))
