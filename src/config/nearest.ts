/** The candidate that a misspelt `text` most likely meant; undefined when none is close. */
export function nearest<T extends string>(text: string, candidates: readonly T[]): T | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distanceTo(candidate, text.slice(0, 80)) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(2, best.candidate.length / 3)
    ? best.candidate
    : undefined
}

/** Ends of keys count as well, so that `mdns` finds `network.mdns`. */
function distanceTo(candidate: string, text: string): number {
  const last = candidate.slice(candidate.lastIndexOf('.') + 1)
  return Math.min(editDistance(candidate, text), editDistance(last, text) + 0.5)
}

/** Letters to insert, remove or replace (Levenshtein), ignoring case. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, left] of Array.from(a.toLowerCase()).entries()) {
    const next = [i + 1]
    for (const [j, right] of Array.from(b.toLowerCase()).entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
