import type { AdmissionHandler } from '../../src/webhook/admission-types.ts';
import { allow } from '../../src/webhook/handler-api.ts';

/** Of the handler alone; the daemon does not know this variable. */
const key = process.env['CANARY_KEY'] ?? '';
const withKey = (): Error => new Error(`cannot read ${key}`, { cause: new Error(key) });

/** What a careless handler does with a private key, by the name of the object it is asked about. */
const deeds: Readonly<Record<string, AdmissionHandler>> = {
  throws: () => {
    throw withKey();
  },
  'throws-text': () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- people do
    throw key;
  },
  rejects: () => Promise.reject(new AggregateError([withKey()], 'several')),
  answers: () => ({ allowed: true, [key]: key }),
  logs: (_request, { log }) => {
    log.error(`the key is ${key}`, { key, bytes: Buffer.from(key), deep: [{ [key]: withKey() }] });
    log.warn('in base64', {
      data: Buffer.from(key).toString('base64'),
      within: Buffer.from(`a${key}`).toString('base64'),
    });
    return allow();
  },
  forgets: () => {
    void Promise.reject(withKey());
    return allow();
  },
  warns: () => {
    process.emitWarning(withKey());
    return allow();
  },
  crashes: () => {
    setTimeout(() => {
      throw Object.assign(withKey(), { headers: { authorization: `Bearer ${key}` }, key });
    });
    return allow();
  },
};

const handler: AdmissionHandler = (request, context) => deeds[request.name ?? '']?.(request, context) ?? allow();
export default handler;
