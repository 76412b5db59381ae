import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What one process holds on to. Linux only, as it is read from /proc. */
export interface Sample {
  /** RssAnon: what is its own. Pages of the program's file come and go as the kernel likes. */
  readonly memoryMiB: number;
  /** Open file descriptors; inotify watches, which share one descriptor, are counted apart. */
  readonly handles: number;
  readonly sockets: number;
  readonly inotifyWatches: number;
}

const orNone = (read: () => string): string => {
  try {
    return read();
  } catch {
    // Closed since it was listed.
    return '';
  }
};

/** @param pid of a process that is alive */
export const sample = (pid: number): Sample => {
  const [, kib = '0'] = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const descriptors = readdirSync(`/proc/${pid}/fd`);
  const links = descriptors.map((descriptor) => orNone(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)));
  const inotify = descriptors.filter((_, at) => links[at] === 'anon_inode:inotify');
  const told = inotify.map((descriptor) => orNone(() => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8')));
  return {
    memoryMiB: Math.round(Number(kib) / 102.4) / 10,
    handles: descriptors.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    inotifyWatches: told.join('').match(/^inotify wd:/gm)?.length ?? 0,
  };
};

/** Of several looks at the same processes, the least of everything: what comes and goes is not held on to. */
export const leastOf = (looks: readonly (readonly Sample[])[]): readonly Sample[] =>
  (looks[0] ?? []).map((_, at) => {
    const seen = looks.flatMap((look) => look[at] ?? []);
    const least = (of: (sample: Sample) => number): number => Math.min(...seen.map(of));
    return {
      memoryMiB: least(({ memoryMiB }) => memoryMiB),
      handles: least(({ handles }) => handles),
      sockets: least(({ sockets }) => sockets),
      inotifyWatches: least(({ inotifyWatches }) => inotifyWatches),
    };
  });
