/** Room for virtual servers on a simulated host (S4). */
import type { SimulatedHost } from './simulated-host.ts'

/** With a limited memory: what is left beside the virtual servers, loaded or being loaded. Else whatever was drawn. */
export function freeMemory_kb(host: SimulatedHost, drawn_kb: number): number {
  const { free_kb, broken } = host.world
  if (free_kb === Infinity) return drawn_kb
  return broken.memory_unseen ? free_kb : Math.max(0, free_kb - memoryTaken_kb(host))
}

export function memoryTaken_kb({ virtual_servers, loading, world }: SimulatedHost): number {
  if (virtual_servers.size + loading.size === 0) return 0
  return world.inventory.servers.filter(({ name }) => virtual_servers.has(name) || loading.has(name)).reduce((sum, { virtual_server }) => sum + virtual_server.memory_mb * 1024, 0)
}
