import { type AdmissionHandler, type AdmissionResponse, allow } from '../../src/webhook/handler-api.ts';

const released = Promise.withResolvers<AdmissionResponse>();

/** In the log, so that a spec knows that a request is under way. */
const say = (path: string): void => void process.stdout.write(`${JSON.stringify({ message: 'Asked', path })}\n`);

/** `/held` is answered once `/release` is asked, `/never` never. */
const handlers: Readonly<Record<string, AdmissionHandler>> = {
  '/at-once': () => allow(),
  '/held': () => {
    say('/held');
    return released.promise;
  },
  '/release': () => {
    released.resolve(allow());
    return allow();
  },
  '/never': () => {
    say('/never');
    return new Promise(() => undefined);
  },
};

export default handlers;
