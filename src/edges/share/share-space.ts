import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { isFull, type ShareFiles } from './share-files.ts'
import { isName } from './share-names.ts'

/** How many records a host can still write when the shared area is full: the functions of all others of a ring of six, and some ways home. */
const SHEETS = 8
/** A block of every usual file system; a record is a few hundred bytes and takes a whole one anyway. */
const SHEET_BYTES = 4_096
/** Between two looks at the free space and at what is missing of the sheets. */
const LOOK_EVERY_MS = 10_000

/**
 * The room of the shared area. A full one still lets leases be renewed, for they are overwritten in place, and would let nobody claim what a dead host gave:
 * so each host keeps blank sheets there, blocks that are its own already, which become the records of its next claims and releases.
 * A file system that writes nothing in place (btrfs, ZFS) may refuse even that: hence the alert long before (SHARE_FULL).
 */
export class ShareSpace {
  private readonly files: ShareFiles
  private readonly folder: string
  private readonly clock: Clock
  private looked_ms = -Infinity
  private looking = false
  private free_kb: number | undefined
  /** A blank sheet could not be written for want of room. */
  private full = false

  constructor(files: ShareFiles, host: string, clock: Clock) {
    this.files = files
    this.folder = `reserve/${host}`
    this.clock = clock
  }

  /** What is free, as last measured, 0 when a blank sheet does not fit; undefined while nothing is known. Waits for nothing. */
  measure(): number | undefined {
    const now_ms = this.clock.boot_ms()
    if (!this.looking && now_ms - this.looked_ms >= LOOK_EVERY_MS) {
      this.looked_ms = now_ms
      this.looking = true
      void this.look().catch(() => undefined).finally(() => { this.looking = false })
    }
    return this.full ? 0 : this.free_kb
  }

  /** Moves a blank sheet to that place; false when there is none left. Other processes of this host take from the same ones. */
  async takeSheet(place: string): Promise<boolean> {
    for (let number = 1; number <= SHEETS; number++) {
      const taken = await this.files.place(`${this.folder}/${number}`, false).then(sheet => rename(sheet, place)).then(() => true, () => false)
      if (taken) return true
    }
    return false
  }

  private async look(): Promise<void> {
    this.free_kb = await this.files.free_kb()
    try {
      await this.stockUp()
      this.full = false
    } catch (error) {
      if (!isFull(error)) throw error
      this.full = true
    }
  }

  private async stockUp(): Promise<void> {
    // A folder takes a block as well: it could not be made any more when the first release is to be written.
    for (const name of ((await this.files.names('claims')) ?? []).filter(isName)) await this.files.place(`releases/${name}/1`, true)
    const present = new Set(await this.files.names(this.folder))
    for (let number = 1; number <= SHEETS; number++) {
      // Random, so that no file system keeps it in less than a block.
      if (!present.has(String(number))) await this.files.setAside(`${this.folder}/${number}`, randomBytes(SHEET_BYTES))
    }
  }
}
