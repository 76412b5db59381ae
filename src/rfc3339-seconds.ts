/** RFC 3339 in UTC with whole seconds, as certificates and announcements carry it: `2026-12-06T11:12:18Z`. */
export const rfc3339Seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
