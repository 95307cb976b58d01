// Text functions: `easynet serve examples/text.ts`, then `easynet call text.stats 'Hello, 世界'`.
import { fn } from 'easynet'
import { z } from 'zod'

const text = z.string().max(1_000_000)

export const stats = fn('text.stats', {
  description: 'Counts the lines, sentences, words and characters of a text in any language.',
  idempotent: true,
  input: text,
  run(text) {
    const words = [...wordsOf(text)]
    return {
      lines: text.replace(/\n$/, '').split('\n').length,
      // A line that was only wrapped does not end a sentence.
      sentences: segments(text.replaceAll(/(?<!\n)\n(?!\n)/g, ' '), 'sentence').length,
      words: words.length,
      chineseWords: words.filter((word) => /\p{Script=Han}/u.test(word)).length,
      characters: segments(text, 'grapheme').length,
    }
  },
})

export const words = fn('text.words', {
  description: 'Streams the words of a text one by one, and returns how many there were.',
  input: text,
  *run(text) {
    let count = 0
    for (const word of wordsOf(text)) {
      count += 1
      yield word
    }
    return count
  },
})

/** Any exported function is offered under its own name; it gets the arguments as they were sent. */
export function reverse(text: string): string {
  return segments(text, 'grapheme').reverse().join('')
}

/** Chinese is written without spaces: the segmenter knows where its words end. */
function* wordsOf(text: string): Generator<string> {
  for (const { segment, isWordLike } of new Intl.Segmenter('en', { granularity: 'word' }).segment(text)) {
    if (isWordLike) yield segment
  }
}

function segments(text: string, granularity: 'grapheme' | 'sentence'): string[] {
  return [...new Intl.Segmenter('en', { granularity }).segment(text)]
    .map(({ segment }) => segment)
    .filter((segment) => granularity === 'grapheme' || segment.trim() !== '')
}
