/** Does `one` so many times, some of them at the same time. */
export async function barrage(
  count: number,
  atOnce: number,
  one: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await one(next)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
