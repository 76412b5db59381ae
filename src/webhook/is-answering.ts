import type { Connection } from './connection.ts';

/** Something of an answer is already on the line. */
export const isAnswering = ({ exchanges }: Connection): boolean =>
  [...exchanges].some(({ response }) => response.headersSent);
