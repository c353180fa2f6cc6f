/** Pure readers of /proc and /sys (proc(5)); they throw on a text that is not what it claims to be. */

export interface MemoryFigures {
  readonly total_kb: number
  /** What can be had without swapping: the kernel's own estimate. */
  readonly available_kb: number
}

export interface CpuTicks {
  /** Idle and waiting for disks: both are free for somebody else. */
  readonly idle: number
  readonly total: number
  readonly cores: number
}

/** 1 Gbit/s, sent and received: the thesis's figure (5.2.5), which is 128 × 10³ KB/s a direction. */
const KB_PER_S_OF_1_MBIT = 128
const UNKNOWN_SPEED_MBIT = 1_000

export function parseMemory(meminfo: string): MemoryFigures {
  return { total_kb: memoryLine(meminfo, 'MemTotal'), available_kb: memoryLine(meminfo, 'MemAvailable') }
}

function memoryLine(meminfo: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)
  if (!found) throw new Error(`/proc/meminfo has no ${name}`)
  return Number(found[1])
}

/** Guest time is part of user time in /proc/stat; counting it again would make the host look busier. */
export function parseCpu(stat: string): CpuTicks {
  const lines = stat.split('\n')
  const all = lines.find(line => line.startsWith('cpu '))
  if (all === undefined) throw new Error('/proc/stat has no cpu line')
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = all.trim().split(/\s+/).slice(1).map(Number)
  return {
    idle: idle + iowait,
    total: user + nice + system + idle + iowait + irq + softirq + steal,
    cores: lines.filter(line => /^cpu\d+ /.test(line)).length,
  }
}

/** Bytes received and sent by the device since it exists; undefined when there is no such device. */
export function parseNetworkBytes(net_dev: string, device: string): number | undefined {
  for (const line of net_dev.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0 || line.slice(0, colon).trim() !== device) continue
    const figures = line.slice(colon + 1).trim().split(/\s+/).map(Number)
    const [received, sent] = [figures[0], figures[8]]
    if (received === undefined || sent === undefined) throw new Error(`/proc/net/dev: the line of ${device} is too short`)
    return received + sent
  }
  return undefined
}

/** Rated send + receive in KB/s from `/sys/class/net/<device>/speed` (Mbit/s; −1 or nothing for virtual devices: 1 Gbit/s). */
export function ratedNetwork(speed: string | undefined): number {
  const speed_mbit = Number(speed?.trim() || Number.NaN)
  return 2 * KB_PER_S_OF_1_MBIT * (speed_mbit > 0 && Number.isFinite(speed_mbit) ? speed_mbit : UNKNOWN_SPEED_MBIT)
}

/** Idle share of the time between two readings, 0–100; undefined when no time has passed. */
export function idlePercent(former: CpuTicks, now: CpuTicks): number | undefined {
  const total = now.total - former.total
  if (total <= 0) return undefined
  // The kernel's iowait may step back; the share stays within its range.
  return Math.min(100, Math.max(0, (100 * (now.idle - former.idle)) / total))
}
