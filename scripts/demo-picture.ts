// Draws examples/data/coast.jpg, the picture of the examples: `node scripts/demo-picture.ts [FILE]`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from 'jpeg-js'

type Colour = readonly [red: number, green: number, blue: number]

const WIDTH = 640
const HEIGHT = 400
const HORIZON = 250
const SUN = { x: 440, y: 150, radius: 62 }

const data = new Uint8Array(WIDTH * HEIGHT * 4)
for (let y = 0; y < HEIGHT; y += 1) {
  for (let x = 0; x < WIDTH; x += 1) data.set([...colourAt(x, y), 255], (y * WIDTH + x) * 4)
}
const file = process.argv[2] ?? join(import.meta.dirname, '../examples/data/coast.jpg')
writeFileSync(file, encode({ width: WIDTH, height: HEIGHT, data }, 82).data)

function colourAt(x: number, y: number): Colour {
  if (isLighthouse(x, y)) return Math.floor((y - 120) / 32) % 2 === 0 ? [235, 235, 230] : [190, 40, 45]
  if (isLamp(x, y)) return [255, 250, 200]
  if (y > cliff(x)) return mix([24, 38, 30], [40, 62, 44], (y - cliff(x)) / 120)
  if (y > HORIZON) return sea(x, y)
  const fromSun = Math.hypot(x - SUN.x, y - SUN.y)
  if (fromSun < SUN.radius) return [255, 236, 170]
  if (y > mountain(x)) return mix([70, 62, 96], [96, 84, 116], (y - mountain(x)) / 90)
  const sky = mix([36, 52, 110], [238, 140, 96], y / HORIZON)
  return mix([255, 220, 160], sky, Math.min(1, (fromSun - SUN.radius) / 130))
}

function sea(x: number, y: number): Colour {
  const depth = (y - HORIZON) / (HEIGHT - HORIZON)
  const water = mix([90, 90, 140], [14, 28, 66], depth)
  const wave = Math.sin(y * 0.9 + Math.sin(x * 0.035 + y * 0.2) * 3)
  const isGlitter = Math.abs(x - SUN.x) < 26 + depth * 60 && wave > 0.1
  return isGlitter
    ? mix([255, 214, 140], water, depth * 0.55)
    : mix(water, [140, 150, 190], wave > 0.93 ? 0.35 : 0)
}

function mountain(x: number): number {
  return HORIZON - 22 - 42 * Math.abs(Math.sin(x * 0.0105 + 0.6)) - 16 * Math.abs(Math.sin(x * 0.031))
}

function cliff(x: number): number {
  return 262 + Math.max(0, x - 130) * 0.75 + 6 * Math.sin(x * 0.09)
}

function isLighthouse(x: number, y: number): boolean {
  return y >= 120 && y < 270 && Math.abs(x - 95) < 15 + (y - 120) * 0.06
}

function isLamp(x: number, y: number): boolean {
  return y >= 92 && y < 120 && Math.abs(x - 95) < (y < 100 ? 8 : 20)
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const part = Math.min(1, Math.max(0, share))
  return [0, 1, 2].map((index) =>
    Math.round(from[index]! + (to[index]! - from[index]!) * part),
  ) as unknown as Colour
}
