/** A moment as Kubernetes writes it: RFC 3339 in UTC with whole seconds. */
export const rfc3339 = (moment: Date): string => `${moment.toISOString().slice(0, 19)}Z`;
