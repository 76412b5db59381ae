import { firstValueFrom } from 'rxjs';
import * as z from 'zod';
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

/** Objects in one answer. A CRD with its schemas and managed fields may have a megabyte. */
const PAGE = 50;

const pageSchema = z.object({
  metadata: z.object({ continue: z.string().nullish() }).nullish(),
  items: z.array(z.unknown()).nullish(),
});

/** Reads a list page by page, so that no more than a page is held at once. Rejects on bugs only. */
export const readList = async <T>(
  client: KubeClient,
  path: string,
  parse: (item: unknown) => T,
  query: Readonly<Record<string, string>> = {},
): Promise<GetResult<readonly T[]>> => {
  const items: T[] = [];
  let token = '';
  do {
    const page = await get(
      client,
      path,
      (answer) => {
        const { metadata, items: found } = pageSchema.parse(answer);
        return { next: metadata?.continue ?? '', items: (found ?? []).map(parse) };
      },
      { ...query, limit: String(PAGE), ...(token === '' ? {} : { continue: token }) },
    );
    if (page.state !== 'there') return page;
    items.push(...page.value.items);
    token = page.value.next;
  } while (token !== '');
  return { state: 'there', value: items };
};
