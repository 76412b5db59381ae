import type { WatchLine } from './watch-lines.ts';

/** How many lines the watches of each user have carried, for those who count what a watch costs. */
export class WatchTally {
  readonly #lines = new Map<string, Map<WatchLine['type'], number>>();

  add(user: string, type: WatchLine['type']): void {
    const own = this.#lines.get(user) ?? new Map<WatchLine['type'], number>();
    this.#lines.set(user, own.set(type, (own.get(type) ?? 0) + 1));
  }

  /** Of all types but bookmarks, which tell of no change. */
  changes(user: string): number {
    const own = [...(this.#lines.get(user) ?? [])];
    return own.reduce((sum, [type, lines]) => sum + (type === 'BOOKMARK' ? 0 : lines), 0);
  }

  bookmarks(user: string): number {
    return this.#lines.get(user)?.get('BOOKMARK') ?? 0;
  }
}
