// Image functions: `easynet serve examples/images.ts`, then
// `easynet call image.ascii image@=examples/data/coast.jpg width:=64`.
import { fn } from 'easynet'
import { decode, encode } from 'jpeg-js'
import { z } from 'zod'

/** One picture; four bytes (red, green, blue, opacity) a pixel. */
interface Pixels {
  width: number
  height: number
  data: Uint8Array
}

const input = z.object({
  image: z.instanceof(Uint8Array).describe('a JPEG'),
  width: z.number().int().min(1).max(2_000).default(64),
})

export const thumbnail = fn('image.thumbnail', {
  description: 'Makes a small JPEG of a large one: {image, width} becomes {image, width, height}.',
  idempotent: true,
  timeoutMs: 30_000,
  maxConcurrent: 2,
  input,
  run({ image, width }, ctx) {
    ctx.progress({ step: 'decode' })
    const source = readJpeg(image)
    ctx.progress({ step: 'shrink', from: source.width, to: width })
    const small = shrink(source, width, Math.round((source.height * width) / source.width))
    // A plain Uint8Array: the encoder returns a Buffer of its own.
    const { data } = encode(small, 80)
    return { image: new Uint8Array(data), width: small.width, height: small.height }
  },
})

export const ascii = fn('image.ascii', {
  description: 'Draws a JPEG with letters, for terminals: {image, width} becomes text.',
  idempotent: true,
  input,
  run({ image, width }) {
    const source = readJpeg(image)
    // A letter is about twice as high as wide.
    const small = shrink(source, width, Math.round((source.height * width) / source.width / 2))
    return drawWithLetters(small)
  },
})

function readJpeg(image: Uint8Array): Pixels {
  return decode(image, { useTArray: true, maxResolutionInMP: 50, maxMemoryUsageInMB: 512 })
}

/** Each pixel of the result is the mean of the pixels that it covers. */
function shrink(source: Pixels, width: number, height: number): Pixels {
  const rows = Math.max(1, height)
  const data = new Uint8Array(width * rows * 4)
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const box = {
        left: Math.floor((x * source.width) / width),
        right: Math.ceil(((x + 1) * source.width) / width),
        top: Math.floor((y * source.height) / rows),
        bottom: Math.ceil(((y + 1) * source.height) / rows),
      }
      data.set(meanColour(source, box), (y * width + x) * 4)
    }
  }
  return { width, height: rows, data }
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

function meanColour({ width, data }: Pixels, { left, right, top, bottom }: Box): number[] {
  const sum = [0, 0, 0]
  for (let y = top; y < bottom; y += 1) {
    for (let at = (y * width + left) * 4, end = (y * width + right) * 4; at < end; at += 4) {
      for (let channel = 0; channel < 3; channel += 1) sum[channel]! += data[at + channel]!
    }
  }
  const count = (right - left) * (bottom - top)
  return [...sum.map((total) => Math.round(total / count)), 255]
}

function drawWithLetters({ width, height, data }: Pixels): string {
  const letters = ' .:-=+*#%@'
  const lines = Array.from({ length: height }, (_, y) => {
    const row = Array.from({ length: width }, (_, x) => {
      const [red = 0, green = 0, blue = 0] = data.subarray((y * width + x) * 4)
      const brightness = (red * 0.3 + green * 0.59 + blue * 0.11) / 256
      return letters[Math.floor(brightness * letters.length)]
    })
    return row.join('').trimEnd()
  })
  return lines.join('\n')
}
