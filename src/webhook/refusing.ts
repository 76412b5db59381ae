import type { ServerResponse } from 'node:http';
import { quieten } from './quieten.ts';
import { refuse } from './refuse.ts';

export type Refuse = (response: ServerResponse, status: number, reason: string) => void;

/** Told of one refusal of each status a minute, with the number that went untold since the last. */
export type OnRefused = (status: number, reason: string, untold: number) => void;

/** Longest reason told, in characters: it may quote a path. */
const longest = 200;

/** Refuses what is the caller's fault, and says so: whoever calls wrongly hardly ever reads the answer. */
export const refusing = (onRefused: OnRefused): Refuse => {
  const loudness = quieten();
  return (response, status, reason) => {
    const { loud, untold } = loudness(String(status));
    if (loud) onRefused(status, reason.slice(0, longest), untold);
    refuse(response, status, reason);
  };
};
