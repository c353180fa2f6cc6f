import { checkSwarmSchedules } from './swarm.ts'

checkSwarmSchedules(600_001, 80)
