import { runAsProcess } from './run.ts'

await runAsProcess()
