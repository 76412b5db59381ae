import type { Installation } from './installation.ts';
import type { Json } from './raw-api.ts';

/** The Events of an installation that tell of an object somebody else keeps rewriting. */
export const contestedEvents = async ({
  api,
  namespace,
}: Installation): Promise<readonly Readonly<Record<string, Json>>[]> => {
  const items = (await api.admin.get(`/api/v1/namespaces/${namespace}/events`)).at('items');
  const events = Array.isArray(items) ? (items as readonly Readonly<Record<string, Json>>[]) : [];
  return events.filter(({ reason }) => typeof reason === 'string' && reason.endsWith('Contested'));
};
