import { joinBytes } from '../util/bytes.ts'
import { hashWithDomain } from './sealed.ts'

// 256 short English words, one for each byte; their order is part of docs/spec/certificates.md. In all
// languages the same, since two people compare them.
const WORDS = `
acid acorn actor album alley amber angle ankle apple apron arch arrow atlas autumn bacon badge
baker bamboo banjo barn basin basket beach bean bear bell belt bench bird biscuit blanket blossom
boat bone book boot bottle bowl bread brick bridge broom bucket bus butter cabin cactus cake
camel camp candle canoe canyon captain carpet carrot castle cat cave cedar chair cheese cherry chess
circus city clay clock cloud coal coat coconut coffee comet copper coral corn cotton cow crab
crane crayon cricket crown cup daisy dance desert desk diamond doctor dolphin donkey door dragon drum
duck eagle earth east echo egg elbow elephant engine envelope falcon farm feather fence fern field
finger fire fish flag flute forest fork fox frog garden garlic ghost giant ginger giraffe glass
glove goat gold goose grape grass guitar hammer harbor hat hawk hazel helmet hill honey hook
horse hotel house ice igloo ink iron island ivory jacket jaguar jelly jewel juice jungle kettle
key king kite kitten knee ladder lake lamp lava lemon leopard letter lion lizard lobster lotus
magnet mango maple marble market meadow melon mirror monkey moon moss mountain mouse muffin museum mushroom
nest north nurse nut oak ocean olive onion orange orchid otter owl paint palace panda paper
parrot peach pearl pencil penguin pepper piano pilot pine pizza planet plum pocket pony potato prince
pumpkin puzzle queen rabbit radio rain rainbow ribbon rice river robin robot rocket rose ruby sailor
salt sand saturn scarf school shark silver spider spoon star stone sugar summer sun tiger zebra
`
  .trim()
  .split(/\s+/)

/**
 * Four words that both ends of an invitation show. Another newcomer, or another answer, has others.
 *
 * @param redemptionId - what the newcomer sent
 * @param certificateId - what it got
 */
export function wordsOf(redemptionId: Uint8Array, certificateId: Uint8Array): string[] {
  const hash = hashWithDomain('easynet/words/1', joinBytes([redemptionId, certificateId]))
  return [...hash.subarray(0, 4)].map((byte) => WORDS[byte] as string)
}
