import { checkSwarmSchedules } from './swarm.ts'

checkSwarmSchedules(500_001, 80)
