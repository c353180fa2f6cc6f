import { checkDrawnSchedules } from './drawn.ts'

checkDrawnSchedules(500_001, 150)
