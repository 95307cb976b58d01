import type { Command, Option } from 'commander'

/** A word that may follow, and what it is for. */
export interface Word {
  word: string
  about: string
}

/** What may follow one command. */
export interface Place {
  /** The words that lead there: `easynet peer ls`. */
  path: string
  words: Word[]
}

/** Every command of the tree with what may follow it; options of the program are for every command. */
export function placesOf(program: Command): Place[] {
  const everywhere = [...program.options.flatMap(wordsOf), ...helpOf(program)]
  const walk = (command: Command, path: string): Place[] => [
    {
      path,
      words: [
        ...command.commands.map((inner) => ({ word: inner.name(), about: firstLine(inner.description()) })),
        ...(command === program ? [] : command.options.flatMap(wordsOf)),
        ...everywhere,
      ],
    },
    ...command.commands.flatMap((inner) => walk(inner, `${path} ${inner.name()}`)),
  ]
  return walk(program, program.name())
}

function helpOf(program: Command): Word[] {
  return program
    .createHelp()
    .visibleOptions(program)
    .filter(({ long }) => long === '--help')
    .flatMap(wordsOf)
}

function wordsOf({ short, long, description }: Option): Word[] {
  return [long, short].filter((word) => word !== undefined).map((word) => ({ word, about: description }))
}

/** Commands that lead somewhere, for scripts that walk what was typed. */
export function innerPaths(places: readonly Place[]): string[] {
  return places.slice(1).map(({ path }) => path)
}

/** Some commands say more in their help. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
