import { Argument, type Command } from 'commander'
import type { Cli } from '../cli.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { powershellScript } from '../completion/powershell.ts'
import { type Place, placesOf } from '../completion/words.ts'
import { zshScript } from '../completion/zsh.ts'

const SCRIPTS: Record<string, (places: readonly Place[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
  powershell: powershellScript,
}

export function define(program: Command, cli: Cli): void {
  const shells = Object.keys(SCRIPTS)
  program
    .command('completion')
    .description(cli.t('command.completion'))
    .addArgument(new Argument('<shell>', cli.t('argument.shell')).choices(shells))
    .action((shell: string) => {
      const script = SCRIPTS[shell]?.(placesOf(program)) ?? ''
      if (cli.options.json === true) cli.out.json({ schema: 'completion/1', shell, script })
      else cli.out.write(script)
    })
}
