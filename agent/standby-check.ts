import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { StandbyFacts } from '../src/core/state.ts'
import type { Hypervisor } from '../src/edges/hypervisor/hypervisor.ts'
import type { Share } from '../src/edges/share/share.ts'

export interface StandbyParts {
  readonly share: Pick<Share, 'list'>
  readonly hypervisor: Pick<Hypervisor, 'savedState'>
  readonly servers: () => readonly Server[]
  readonly post: (event: Event) => void
}

/** Images change by hand, and a missing one costs nothing before it is needed. */
const LOOK_EVERY_MS = 60_000
const LIST_LIMIT_MS = 3_000
/** What a start from the image itself needs. */
const IMAGE_FILES = ['kernel', 'initrd']

/** Whether the shared area has what each virtual server would be started from on this host. Names only: no image is read. */
export class StandbyCheck {
  private readonly parts: StandbyParts
  private readonly timer: NodeJS.Timeout
  private looking = false

  constructor(parts: StandbyParts) {
    this.parts = parts
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS)
    void this.look()
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** Without an answer of the share nothing is known, and what was known stays. */
  async look(): Promise<void> {
    if (this.looking) return
    this.looking = true
    try {
      const images = []
      for (const server of this.parts.servers()) images.push({ function: server.name, ...await this.judge(server) })
      this.parts.post({ event: 'standby', images })
    } catch {
      // The share's own state says so.
    } finally {
      this.looking = false
    }
  }

  private async judge({ virtual_server }: Server): Promise<StandbyFacts> {
    const { name, image, standby } = virtual_server
    const files = new Set(await this.parts.share.list(`vm/${image}`, { deadline_ms: LIST_LIMIT_MS }))
    const state = await this.parts.hypervisor.savedState(virtual_server)
    const absent = IMAGE_FILES.filter(file => !files.has(file))
    // A saved state holds the whole machine; the image is for the day it does not load.
    if (absent.length > 0) return { state: 'missing', detail: `vm/${image} has no ${absent.join(' and no ')}` }
    if (standby === 'cold' || files.has(state)) return { state: 'good', detail: '' }
    const other = [...files].some(file => file.startsWith(`${name}.`) && file.endsWith('.state'))
    return { state: 'stale', detail: `vm/${image} has no ${state}${other ? ', only states for other settings or processors' : ''}` }
  }
}
