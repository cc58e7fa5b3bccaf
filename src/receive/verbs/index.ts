/** Every verb this server knows. */
import type { Verb } from '../session.ts';
import { auth } from './auth.ts';
import { bdat } from './bdat.ts';
import { data } from './data.ts';
import { ehlo, helo } from './ehlo.ts';
import { help } from './help.ts';
import { mail } from './mail.ts';
import { noop } from './noop.ts';
import { quit } from './quit.ts';
import { rcpt } from './rcpt.ts';
import { rset } from './rset.ts';
import { starttls } from './starttls.ts';
import { vrfy } from './vrfy.ts';
import { xclient } from './xclient.ts';

export const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['EHLO', ehlo],
  ['HELO', helo],
  ['STARTTLS', starttls],
  ['AUTH', auth],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['BDAT', bdat],
  ['RSET', rset],
  ['NOOP', noop],
  ['VRFY', vrfy],
  ['HELP', help],
  ['QUIT', quit],
  ['XCLIENT', xclient],
]);
