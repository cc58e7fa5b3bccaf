import type { Secrets } from '../../src/store/secrets.ts';

/** Nothing is secret in a test. */
export const OPEN_SECRETS: Secrets = {
  seal: (name, value) => `${name} ${Buffer.from(value).toString('base64')}`,
  open(name, sealed) {
    if (!sealed.startsWith(`${name} `)) throw new Error(`not sealed as ${name}`);
    return Buffer.from(sealed.slice(name.length + 1), 'base64');
  },
  isCurrent: () => true,
  rotate: () => 'key',
};
