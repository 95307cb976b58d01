import { appendFileSync } from 'node:fs'

/** Notes what an attack did and cost; `npm run test:hostile` prints all of it at the end. */
export function report(attack: string, facts: Record<string, number | string>): void {
  const file = process.env['HOSTILE_REPORT']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ attack, facts })}\n`)
}
