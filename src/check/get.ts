import { firstValueFrom } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { decodeOrThrow } from '../kube/errors.ts';
import { type KubeRequest, requestSubject } from '../kube/request.ts';

/** The outcome of one GET. */
export type GetResult<T> =
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'absent' | 'forbidden' | 'failed'; readonly why: string };

/** Reads one object or list. Rejects on bugs only. */
export const get = async <T>(
  client: KubeClient,
  path: string,
  parse: (answer: unknown) => T,
  query: Readonly<Record<string, string>> = {},
): Promise<GetResult<T>> => {
  const request: KubeRequest = { method: 'GET', path, query };
  try {
    const answer = await firstValueFrom(client.send(request));
    return { state: 'there', value: decodeOrThrow(requestSubject(request).text, () => parse(answer)) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const state = error.status === 404 ? 'absent' : error.status === 403 ? 'forbidden' : 'failed';
    return { state, why: error.message };
  }
};
