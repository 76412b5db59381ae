const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * An RFC 3339 time to milliseconds since the epoch, null when it is not one. Date.parse alone also takes
 * "1", "March 7" and the 30th of February.
 */
export function rfc3339(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [, year, month, day] = match.map(Number);
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const ms = Date.parse(text);
  return Number.isNaN(ms) || Number(day) > daysInMonth ? null : ms;
}
