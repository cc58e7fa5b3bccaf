/** Bounds of the settings, each with its reason. */

/** An error repeats the value, but not a list of ten thousand. */
export const QUOTED_LENGTH = 200;

/** Values of one change or import: twenty settings for each of ten thousand domains. */
export const CHANGES_AT_ONCE = 200_000;

/** A YAML file to import: the bound above at some hundred bytes a line. */
export const IMPORT_BYTES = 32 * 1024 * 1024;

/** Aliases (`*name`) in a YAML file: a short file must not expand into a huge one. */
export const YAML_ALIASES = 100;

/** Values that the history keeps, besides those of the last change: some years of changes by hand, and 5 MB. */
export const HISTORY_VALUES = 10_000;

/** A page of the history. */
export const HISTORY_PAGE_ROWS = 1000;

/** The reason for a change: a sentence, or the number of a ticket. */
export const COMMENT_CHARACTERS = 500;
