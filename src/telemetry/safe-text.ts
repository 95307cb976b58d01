// Control characters, line separators, half characters, and those that turn the direction of the text.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/**
 * Text of another device, made safe to print and to log: nothing in it can move the cursor, start a new
 * line, reorder the rest or fill the screen.
 *
 * @param max - characters kept; `…` marks a cut. @default 256
 */
export function safeText(text: string, max = 256): string {
  const characters = Array.from(text.slice(0, 2 * max + 2))
  const kept = characters.slice(0, max).join('').replace(UNSAFE, escape)
  return characters.length > max ? `${kept}…` : kept
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
