/** A typing error changes a letter or two; a word further away than a third of its length is another word. */
const LETTERS_PER_ERROR = 3

/** The candidate that was probably meant, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let best_distance = Math.max(1, Math.floor(word.length / LETTERS_PER_ERROR)) + 1
  for (const candidate of candidates) {
    // Cheap bound first: a hostile key may be as long as its file.
    if (Math.abs(candidate.length - word.length) >= best_distance) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < best_distance) {
      best = candidate
      best_distance = distance
    }
  }
  return best
}

/** ` Did you mean "vip"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates)
  return meant === undefined ? '' : ` Did you mean "${meant}"?`
}

/** Letters replaced, added, left out or swapped with their neighbour (optimal string alignment), one row at a time. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swapped))
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
