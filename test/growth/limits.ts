/** What can reach a parser at most, by way of arrival. */
import { MIME_LIMITS } from '../../src/protocol/mime/limits.ts';
import { REPLY_LINE_BYTES, REPLY_LINES } from '../../src/protocol/smtp/limits.ts';

/** A header, or a field that is folded over all of it. */
export const HEADER = MIME_LIMITS.headerBytes;
/** Content comes in reads, and in pieces of files. */
export const CHUNK = 64 * 1024;
/** What is in memory at once of a message's content. */
export const CONTENT = 256 * 1024;
/** A command line, AUTH among them (receive/limits.ts). */
export const LINE = 24 * 1024;
export const REPLY = REPLY_LINES * REPLY_LINE_BYTES;
/** A report may be larger (report/limits.ts): this is enough to see how time grows. */
export const REPORT = 256 * 1024;
