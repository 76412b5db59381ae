import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Preloaded into each replica of a soak: on SIGUSR2 it collects all garbage and logs what is left, as one more line of
 * JSON. What a process leaks is in there; what the kernel says of it is mostly V8's way of being lazy.
 */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const line = { level: 'debug', time: new Date().toISOString(), message: 'Heap', bytes: heapUsed + external };
  process.stdout.write(`${JSON.stringify(line)}\n`);
});
