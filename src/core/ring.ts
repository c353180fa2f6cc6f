/**
 * The ring (thesis 5.2.2, fig. 5.2): hosts in the order of the Group file, filtered by who is present.
 * A target's P1 is the nearest present host before it, its P2 the nearest present host after it. For a target that is
 * itself away this is dynamic management expansion (5.3.1): the ring closes around any number of failed hosts.
 */
export type Priority = 1 | 2

export interface Role {
  readonly target: string
  readonly priority: Priority
}

function nearest(order: readonly string[], from: string, step: 1 | -1, present: (host: string) => boolean): string | undefined {
  const start = order.indexOf(from)
  if (start < 0) return undefined
  for (let distance = 1; distance < order.length; distance += 1) {
    const host = order[(start + step * distance + order.length * distance) % order.length]!
    if (host !== from && present(host)) return host
  }
  return undefined
}

/** The manager that acts for the target. */
export function p1Of(order: readonly string[], target: string, present: (host: string) => boolean): string | undefined {
  return nearest(order, target, -1, present)
}

/** The manager that stands by; none when the only other host is P1 already (two servers: each manages one). */
export function p2Of(order: readonly string[], target: string, present: (host: string) => boolean): string | undefined {
  const second = nearest(order, target, 1, present)
  return second === p1Of(order, target, present) ? undefined : second
}

/** Everybody `self` manages: its ring neighbours, and every absent host for which it is the nearest present one. */
export function rolesOf(order: readonly string[], self: string, present: (host: string) => boolean): Role[] {
  const roles: Role[] = []
  const start = order.indexOf(self)
  for (let distance = 1; distance < order.length; distance += 1) {
    const target = order[(start + distance) % order.length]!
    if (p1Of(order, target, present) === self) roles.push({ target, priority: 1 })
    else if (p2Of(order, target, present) === self) roles.push({ target, priority: 2 })
  }
  return roles
}
