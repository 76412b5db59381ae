import { Name } from './x509-library.ts';

/** A name of one common name. Not written as `CN=…`, whose commas and quotes the library would read as syntax. */
export const commonName = (text: string): Name => new Name([{ CN: [{ utf8String: text }] }]);
