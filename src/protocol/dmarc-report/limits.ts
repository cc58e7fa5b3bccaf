/** Bounds of reading aggregate reports, each with its reason. */

/**
 * Records of one report that are kept: the daily reports of large providers about a busy domain have a few thousand.
 */
export const REPORT_RECORDS = 10_000;

/** The schema nests six deep (feedback, record, auth_results, dkim, domain); extensions a little deeper. */
export const XML_DEPTH = 16;

/** A record has some twenty elements; each is an object. */
export const XML_ELEMENTS = 300_000;

/** Names of elements within one: the schema has ten. */
export const XML_NAMES = 200;

/** Characters kept of one value: a domain has 253, a comment more. */
export const VALUE_CHARACTERS = 1000;

/** Results, reasons and errors kept of one record. */
export const VALUES_PER_RECORD = 20;
