/** Dialogues of a session with a receiver, and how most of them begin. */
import { dialogue } from '../dialogue.ts';
import type { TestReceiver } from './services.ts';

export const BEGIN = `
  S: 220
  C: EHLO client.example
  S: 250
`;
export const ENVELOPE = `${BEGIN}
  C: MAIL FROM:<a@client.example>
  S: 250 2.1.0
  C: RCPT TO:<alice@example.com>
  S: 250 2.1.5
`;

export const IN_DATA = `${ENVELOPE}
  C: DATA
  S: 354
`;

/** Holds the dialogue, closes, and waits for the session's record. */
export async function held(node: TestReceiver, script: string): Promise<void> {
  const client = await dialogue(node, script);
  client.close();
  await node.sessionEnded();
}
