/** UTC stamp `20261120T210348123Z` of milliseconds since 1970, without any clock: incidents are named by it, in order of time. */
export function stampOf(wall_ms: number): string {
  const days = Math.floor(wall_ms / 86_400_000)
  const rest_ms = Math.floor(wall_ms - days * 86_400_000)
  const { year, month, day } = civilOf(days)
  const digits = (value: number, count: number): string => String(value).padStart(count, '0')
  const [hours, minutes, seconds, milliseconds] = [Math.floor(rest_ms / 3_600_000), Math.floor(rest_ms / 60_000) % 60, Math.floor(rest_ms / 1_000) % 60, rest_ms % 1_000]
  return `${digits(year, 4)}${digits(month, 2)}${digits(day, 2)}T${digits(hours, 2)}${digits(minutes, 2)}${digits(seconds, 2)}${digits(milliseconds, 3)}Z`
}

/** Days since 1970 to the Gregorian calendar, by eras of 400 years that begin in March (Hinnant, "days_from_civil"). */
function civilOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1 }
}
