import { readFileSync } from 'node:fs'
import { hostOf, type Lab } from './lab.ts'
import { PROGRAMS, programPids, type Program } from './programs.ts'

/** Resident memory in kilobytes of each process of each of ringward's programs on a host, the largest first. */
export type MemoryOfHost = Readonly<Record<Program, readonly number[]>>
export type Memory = ReadonlyMap<string, MemoryOfHost>

export function memoryOf(lab: Lab): Memory {
  return new Map(lab.hosts.map(({ name }) => [hostOf(lab, name).name, Object.fromEntries(PROGRAMS.map(program =>
    [program, programPids(lab, name, program).flatMap(resident_kb).sort((a, b) => b - a)])) as Record<Program, number[]>]))
}

function resident_kb(pid: number): number[] {
  try {
    return /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.slice(1).map(Number) ?? []
  } catch {
    // It ended meanwhile.
    return []
  }
}

/** Processes that grew by more than so many percent, or became more, in words. */
export function grownBeyond(percent: number, before: Memory, after: Memory): string[] {
  return [...before].flatMap(([host, programs]) => PROGRAMS.flatMap(program => {
    const [former, present] = [programs[program], after.get(host)?.[program] ?? []]
    if (present.length !== former.length) return [`${host} has ${present.length} processes of the ${program} instead of ${former.length}`]
    return present.flatMap((kb, index) => {
      const former_kb = former[index] ?? 0
      return kb > former_kb * (1 + percent / 100) ? [`the ${program} of ${host} grew from ${former_kb} to ${kb} kB; expected at most ${percent} % more`] : []
    })
  }))
}
