import type { HostLoad, LoadDocument } from '../control/documents.ts'
import { hostOf } from '../core/context.ts'
import { nonSelectValue } from '../core/non-select.ts'
import { loadsOf } from '../core/placement.ts'
import type { State } from '../core/state.ts'
import type { Moments } from './moments.ts'

const round = (value: number): number => Math.round(value * 10) / 10
const NONE = { average: null, forecast: null, normalised: null }

/** `ringward.load/1`: survey, forecast, normalised load and non-select value per type of server (thesis 5.2.5). */
export function loadDocument(state: State, moments: Moments): LoadDocument {
  const loads = new Map(loadsOf(state).map(load => [load.host, load]))
  const hosts = state.order.map((name): HostLoad => {
    const load = loads.get(name)
    if (!load) return { name, virtual_servers: 0, memory: NONE, cpu: NONE, network: NONE, non_select: { CPU: null, NETWORK: null, CPU_NET: null }, age_ms: null }
    const { average, forecast, normalised, virtual_servers } = load
    const age_ms = moments.now_ms - hostOf(state, name).condition_ms
    return {
      name, virtual_servers,
      memory: { average: round(average.memory_kb), forecast: round(forecast.memory_kb), normalised: round(normalised.memory) },
      cpu: { average: round(average.cpu_idle_percent), forecast: round(forecast.cpu_idle_percent), normalised: round(normalised.cpu) },
      network: { average: round(average.network_kb_per_s), forecast: round(forecast.network_kb_per_s), normalised: round(normalised.network) },
      non_select: {
        CPU: round(nonSelectValue('CPU', virtual_servers, normalised)), NETWORK: round(nonSelectValue('NETWORK', virtual_servers, normalised)),
        CPU_NET: round(nonSelectValue('CPU_NET', virtual_servers, normalised)),
      },
      age_ms: Number.isFinite(age_ms) ? Math.round(age_ms) : null,
    }
  })
  return { schema: 'ringward.load/1', at: moments.wall.toISOString(), host: state.self, hosts }
}
