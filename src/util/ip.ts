import { isIPv4 } from 'node:net';

/**
 * Whether a host, which is either a name or an IP address, is an IP address. A colon decides for IPv6, since no name
 * contains one: compiling Node's own IPv6 pattern takes 8 ms of the start.
 */
export const isIpAddress = (host: string): boolean => host.includes(':') || isIPv4(host);

/** The host of a URL as sockets and certificates name it: an IPv6 address without the brackets that it has in URLs. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[|\]$/g, '');
