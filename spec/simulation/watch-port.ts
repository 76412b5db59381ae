import { Observable } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import type { WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import type { Host, VirtualTime } from '../support/virtual-time.ts';
import type { Change, Collection, Entry, Versions } from './collection.ts';
import type { Connection, Network } from './network.ts';
import type { Random } from './random.ts';

/** As src/kube/watch-objects.ts: the longest wait for a watch to open. */
const OPENING_MS = 30_000;
/** kube-apiserver's bookmarkFrequency. */
const BOOKMARK_MS = 60_000;

export interface Watched<S, T> {
  readonly collection: Collection<S>;
  readonly versions: Versions;
  /** Null watches them all. */
  readonly name: string | null;
  readonly view: (entry: Entry<S>) => T;
  readonly forbidden: boolean;
}

/** List and watch of some objects over the network: frames in order, each late, the connection cut or half-open. */
export const watchPort = <S, T>(
  { time, random, host, net }: { time: VirtualTime; random: Random; host: Host; net: Network },
  { collection, versions, name, view, forbidden }: Watched<S, T>,
): WatchPort<T> => {
  const isMine = (entry: Entry<S>): boolean => name === null || entry.name === name;
  const admit = (): void => {
    if (forbidden) throw new Problem('forbidden', 403);
  };

  const list = () =>
    net.request(host, 'list', () => {
      admit();
      return { resourceVersion: String(versions.newest()), items: collection.list().filter(isMine).map(view) };
    });

  const open = (from: string): Observable<WatchFrame<T>> =>
    new Observable<WatchFrame<T>>((subscriber) => {
      let isDeaf = net.isCut(host.name);
      let lastAtMs = 0;
      let quiet = (): void => undefined;
      let unlisten = (): void => undefined;
      const cancels: (() => void)[] = [];

      const inOrder = (deliver: () => void): void => {
        if (isDeaf) return;
        const fromMs = Math.max(time.nowMs(), net.cutUntilMs(host.name));
        lastAtMs = Math.max(lastAtMs, fromMs + net.latencyMs(host.name));
        time.after(host, lastAtMs - time.nowMs(), () => {
          if (!isDeaf) deliver();
        });
      };
      const send = (frame: WatchFrame<T>): void => inOrder(() => subscriber.next(frame));
      const frameOf = ({ type, entry }: Change<S>): WatchFrame<T> => ({
        type,
        resourceVersion: String(entry.version),
        object: view(entry),
      });
      const bookmarkLater = (): void => {
        quiet = time.after(net.cluster, BOOKMARK_MS, () => {
          send({ type: 'bookmark', resourceVersion: String(versions.newest()) });
          bookmarkLater();
        });
      };
      const connection: Connection = {
        machine: host.name,
        object: name,
        isDeaf: () => isDeaf,
        cut: (cleanly) => {
          unlisten();
          inOrder(() => (cleanly ? subscriber.complete() : subscriber.error(new Problem('the watch was reset'))));
        },
        deafen: () => (isDeaf = true),
      };

      const arrive = (): void => {
        cancelOpening();
        const missed = forbidden ? null : collection.changesSince(Number(from));
        if (forbidden) inOrder(() => subscriber.error(new Problem('forbidden', 403)));
        else if (missed === null) {
          send({ type: 'expired' });
          inOrder(() => subscriber.complete());
        } else {
          send({ type: 'opened' });
          for (const change of missed) if (isMine(change.entry)) send(frameOf(change));
          unlisten = collection.onChange((change) => {
            if (isMine(change.entry)) send(frameOf(change));
          });
          net.connections.add(connection);
          bookmarkLater();
          cancels.push(time.after(net.cluster, random.int(120_000, 1_800_000), () => connection.cut(true)));
        }
      };
      const cancelOpening = time.after(host, OPENING_MS, () => subscriber.error(new Problem('watch: no answer')));
      if (!isDeaf) cancels.push(time.after(net.cluster, net.latencyMs(host.name), arrive));
      return () => {
        isDeaf = true;
        cancelOpening();
        quiet();
        unlisten();
        for (const cancel of cancels) cancel();
        net.connections.delete(connection);
      };
    });

  return { list, watch: open };
};
