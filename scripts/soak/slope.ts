/** A straight line through points, by least squares. */
export interface Line {
  /** Growth of y per unit of x. */
  slope: number
  /** Standard error of the slope: how far the scatter of the points alone can turn the line. */
  error: number
}

/** @throws for fewer than three points, or all at the same x */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): Line {
  const n = points.length
  const mean = (index: 0 | 1): number => points.reduce((sum, point) => sum + point[index], 0) / n
  const [meanX, meanY] = [mean(0), mean(1)]
  let [xx, xy, yy] = [0, 0, 0]
  for (const [x, y] of points) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * (y - meanY)
    yy += (y - meanY) ** 2
  }
  if (n < 3 || xx === 0) throw new Error(`A line needs three different points; there are ${n}.`)
  const slope = xy / xx
  return { slope, error: Math.sqrt(Math.max(0, yy - slope * xy) / (n - 2) / xx) }
}
