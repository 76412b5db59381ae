import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

process.stdout.write('evaluated\n');

/** Says that a library which is only imported late is there. */
export const late: string = typeof x509.X509Certificate;
