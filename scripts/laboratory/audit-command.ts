import type { Command } from 'commander'
import type { Lab } from './lab.ts'
export function auditCommand(_command: Command, _open: (command: Command) => Promise<Lab>, _say: (text: string) => unknown): void {}
