import { openDatabase } from '../../../src/storage/database.ts'
import { createInviteStore } from '../../../src/storage/invite-store.ts'
import { TRUST_MIGRATIONS } from '../../../src/storage/migrations.ts'

// Spends invites `from` to `to` for one newcomer and prints each outcome. With a step it kills itself
// there: `signing` inside the transaction, `committed` before anybody hears of the answer.
const [file = '', newcomer = '', from = '0', to = '0', step = ''] = process.argv.slice(2)
const database = openDatabase(file, {
  migrations: TRUST_MIGRATIONS,
  synchronous: 'full',
  busyTimeoutMs: 30_000,
})
const store = createInviteStore(database)
const dieAt = (here: string): void => {
  if (here === step) process.kill(process.pid, 'SIGKILL')
}
/** A signal to oneself may arrive a little later. */
const answer = (): Uint8Array => {
  dieAt('signing')
  while (step === 'signing') continue
  return Buffer.from(`${newcomer} ${process.pid} ${process.hrtime.bigint()}`)
}
for (let n = Number(from); n <= Number(to); n += 1) {
  const spent = store.spend({
    invite: Uint8Array.of(n),
    newcomer: Buffer.from(newcomer),
    redemption: new Uint8Array(),
    now: 0,
    answer,
  })
  dieAt('committed')
  while (step === 'committed') continue
  process.stdout.write(
    `${n} ${'answer' in spent ? `answer ${Buffer.from(spent.answer).toString()}` : spent.refused}\n`,
  )
}
database.close()
