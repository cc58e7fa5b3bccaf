/** What system tests send with: the demo's plain client, and a letter to send. */
export * from '../../../src/cli/demo/client.ts';
export { letter } from './letter.ts';
