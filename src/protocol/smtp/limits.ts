/** The bounds of the SMTP grammar, each with its reason. */

/** RFC 5321 4.5.3.1.5 asks for 512 bytes a reply line; real servers put long URLs into refusals. */
export const REPLY_LINE_BYTES = 4096;

/** An EHLO reply of a rich server has 25 lines; a refusal with an explanation may have 50. */
export const REPLY_LINES = 128;

/** A local part: RFC 5321 4.5.3.1.1 asks for 64 bytes at least; tagged bounce addresses are longer. */
export const LOCAL_PART_BYTES = 255;

/** RFC 1035 2.3.4, in text form without the final dot. */
export const DOMAIN_BYTES = 253;
export const LABEL_BYTES = 63;

/** RFC 3461 4.4 and 4.2: ENVID has at most 100 characters, ORCPT at most 500. */
export const ENVID_CHARACTERS = 100;
export const ORCPT_CHARACTERS = 500;

/** More parameters than any extension registered with IANA would make. */
export const PARAMETERS = 32;

/** SIZE, BDAT: RFC 1870 6.1 allows 20 digits; 15 stay below 2^53. */
export const SIZE_DIGITS = 15;

/** RFC 1870 6.1, with leading zeros: a longer text is no number. */
export const SIZE_DIGITS_AT_ALL = 20;
