import { checkDrawnSchedules } from './drawn.ts'

checkDrawnSchedules(400_001, 150)
