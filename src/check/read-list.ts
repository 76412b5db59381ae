import * as z from 'zod';
import type { KubeClient } from '../kube/client.ts';
import { get, type GetResult } from './get.ts';

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
