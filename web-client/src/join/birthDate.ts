/** Three fields to one date. Pure. */

/** "1954-02-15", or `null` if the three do not make a day that was. */
export function birthDate(year: string, month: string, day: string, today: Date): string | null {
  if (!/^\d{4}$/.test(year.trim()) || !/^\d{1,2}$/.test(month.trim()) || !/^\d{1,2}$/.test(day.trim())) return null;
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const date = new Date(Date.UTC(y, m - 1, d));
  const real = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d;
  if (!real || y < 1880 || date.getTime() > today.getTime()) return null;
  return date.toISOString().slice(0, 10);
}
