import { decode } from 'jpeg-js'

const LETTERS = ' .:-=+*#%@'

/** A small JPEG as text: two pixels above each other become one letter, or one block in their colours. */
export function drawJpeg(image: Uint8Array, colour: boolean): string {
  const { width, height, data } = decode(image, { useTArray: true })
  const pixel = (x: number, y: number): number[] => [...data.subarray((y * width + x) * 4).subarray(0, 3)]
  const block = (x: number, y: number): string => {
    const [above, below] = [pixel(x, y), pixel(x, y + 1)]
    if (colour) return `\x1b[38;2;${above.join(';')};48;2;${below.join(';')}m▀`
    const brightness = [...above, ...below].reduce((sum, value) => sum + value, 0) / (6 * 256)
    return LETTERS[Math.floor(brightness * LETTERS.length)] ?? ' '
  }
  const lines = Array.from({ length: Math.floor(height / 2) }, (_, row) => {
    const line = Array.from({ length: width }, (_, x) => block(x, row * 2)).join('')
    return colour ? `${line}\x1b[0m` : line.trimEnd()
  })
  return lines.join('\n')
}
