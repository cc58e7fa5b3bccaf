/** HELP (RFC 5321 4.1.1.8). */
import type { Reply } from '../../model/reply.ts';
import type { Verb } from '../session.ts';

const COMMANDS: Reply = {
  code: 214,
  enhanced: '2.0.0',
  text: 'HELO EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT',
};

export const help: Verb = (session) => {
  session.idleCommands++;
  return COMMANDS;
};
