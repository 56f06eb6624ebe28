/** What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that a whole network has in common (RFC 4291, 2.5.1). */
import { isIPv6 } from 'node:net';

const GROUPS = 8;
const NETWORK = 4;

/** `text` as a socket gives it; undefined of one that is closed already. */
export function addressOf(text: string | undefined): string {
  if (text === undefined) return '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  const [address = ''] = text.split('%');
  if (!isIPv6(address)) return text;
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, GROUPS - left.length - right.length) }, () => '0');
  return `${[...left, ...zeros, ...right].slice(0, NETWORK).join(':')}::/64`;
}
