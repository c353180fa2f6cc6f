/** Seeded random numbers (sfc32). One stream per purpose, so that removing one fault does not reshuffle everything else. */
export class RandomStream {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number, stream: string) {
    // FNV-1a over the name keeps streams apart.
    let hash = 0x811c9dc5
    for (let index = 0; index < stream.length; index += 1) hash = Math.imul(hash ^ stream.charCodeAt(index), 0x01000193)
    this.a = seed | 0
    this.b = hash | 0
    this.c = Math.imul(seed ^ hash, 0x9e3779b1)
    for (let index = 0; index < 12; index += 1) this.next()
  }

  /** 0 ≤ x < 1. */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum | 0
    return (sum >>> 0) / 4294967296
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!
  }
}
