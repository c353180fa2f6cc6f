/** ARP on the segment of the VIP. The address itself is the guard's (kernel-enforced lifetime). */
export interface Announcer {
  /** `arping -D`: true when another host answers for the address (a zombie). */
  inUse(address: string, device: string, signal: AbortSignal): Promise<boolean>
  /** Gratuitous ARP five times, again after 5 s (keepalived's figures); returns at once. */
  announce(address: string, device: string): void
  stop(): Promise<void>
}
