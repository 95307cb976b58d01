import { expect, test } from 'vitest'
import { eventually } from '../integration/support/eventually.ts'
import { labProblem } from '../netlab/lab.ts'
import { startLabMesh } from '../netlab/lab-mesh.ts'
import { startProviderProgram } from './support/program.ts'

const problem = labProblem()

test('a link that is cut silently: dead links are noticed, every running call gets its verdict, and it heals', async ({
  skip,
}) => {
  if (problem !== undefined) return skip(problem)
  await using mesh = await startLabMesh({ hosts: ['boot', 'provider', 'caller'] })
  const { provider, caller } = mesh.hosts
  await using program = await startProviderProgram(provider!.daemon.home)
  for (const other of ['boot', 'provider']) await mesh.until(true, other, 'caller')
  await eventually(async () => (await caller!.program.functions('effect')).length > 0)

  const { program: app } = caller!
  const patient = app.callWithInfo('effect', ['patient', 3_000], { timeoutMs: 60_000 })
  const hasty = app.call('effect', ['hasty', 60_000], { timeoutMs: 6_000 })
  const hastyEnds = expect(hasty).rejects.toMatchObject({ reason: 'outcome_unknown' })
  await eventually(() => program.effects().length === 2)
  mesh.lab.cut('caller')
  const noticedMs = await Promise.all(
    ['boot', 'provider'].map(async (other) => mesh.until(false, other, 'caller')),
  )
  // Said while the link is still dead.
  await hastyEnds
  await eventually(() => program.effects().includes('end patient'))
  await expect(app.call('provider/upper', ['x'], { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|deadline_exceeded/) as string,
  })

  mesh.lab.heal('caller')
  const backMs = await Promise.all(
    ['boot', 'provider'].map(async (other) => mesh.until(true, other, 'caller')),
  )
  expect(await patient).toMatchObject({ result: 'patient', attempts: 1 })
  expect(program.effects().filter((line) => line === 'start patient')).toHaveLength(1)
  expect(await app.call('provider/upper', ['x'])).toBe('X')
  console.log(
    `noticed after ${noticedMs.map(Math.round).join(', ')} ms, back after ${backMs.map(Math.round).join(', ')} ms`,
  )
})
