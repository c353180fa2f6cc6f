import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseJson } from '../edges/lines.ts'
import type { GuardMemory } from './guard-core.ts'
import type { ProcessMark } from './processes.ts'

interface Stored {
  readonly schema: 'ringward.guard-state/1'
  readonly boot_id: string
  readonly memory: GuardMemory
  readonly watchdog?: ProcessMark
}

/** What a guard leaves for the next one: the state on tmpfs (`guard-state.json`), the generation on disk. */
export class GuardFiles {
  private readonly state_path: string
  private readonly generation_path: string
  readonly boot_id: string

  constructor(run_folder: string, var_folder: string, boot_id: string) {
    this.state_path = join(run_folder, 'guard-state.json')
    this.generation_path = join(var_folder, 'state', 'generation')
    this.boot_id = boot_id
    mkdirSync(run_folder, { recursive: true, mode: 0o700 })
  }

  /** Written before the effect it describes; tmpfs does not hang, so this is synchronous. */
  remember(memory: GuardMemory, watchdog: ProcessMark | undefined): void {
    const stored: Stored = { schema: 'ringward.guard-state/1', boot_id: this.boot_id, memory, ...(watchdog ? { watchdog } : {}) }
    writeFileSync(`${this.state_path}.new`, JSON.stringify(stored), { mode: 0o600 })
    renameSync(`${this.state_path}.new`, this.state_path)
  }

  /** `same_boot` false: times and processes in it mean nothing any more. */
  recall(): (Stored & { readonly same_boot: boolean }) | undefined {
    try {
      const stored = parseJson(readFileSync(this.state_path, 'utf8')) as Stored | undefined
      if (stored?.schema !== 'ringward.guard-state/1' || !Array.isArray(stored.memory.charges)) return undefined
      return { ...stored, same_boot: stored.boot_id === this.boot_id }
    } catch {
      return undefined
    }
  }

  forget(): void {
    rmSync(this.state_path, { force: true })
  }

  /** The highest generation ever used on this disk; 0 when none is known. */
  lastGeneration(): number {
    try {
      const generation = Number(readFileSync(this.generation_path, 'utf8'))
      return Number.isSafeInteger(generation) && generation > 0 ? generation : 0
    } catch {
      return 0
    }
  }

  /** On disk before it is used: a generation never comes back, not even after a power cut. */
  async storeGeneration(generation: number): Promise<void> {
    const folder = dirname(this.generation_path)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(`${this.generation_path}.new`, 'w', 0o600)
    try {
      await file.writeFile(`${generation}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${this.generation_path}.new`, this.generation_path)
    const handle = await open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  }
}
