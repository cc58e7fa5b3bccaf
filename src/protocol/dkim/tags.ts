/**
 * Tag lists (RFC 6376 3.2), as signatures and key records are written: `name=value` between semicolons.
 *
 * Reads strictly: a tag twice, a tag without a name, or an empty one in the middle is a flaw of the whole list. Names
 * keep their case, as they must. Linear; never throws.
 */
export interface TagList {
  /** White space within values becomes one space, around them it is removed. */
  readonly tags: ReadonlyMap<string, string>;
  /** The name of the first tag. */
  readonly first: string | undefined;
  readonly isMalformed: boolean;
}

/** RFC 6376 3.2: tag-name. */
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

export function readTags(text: string): TagList {
  const tags = new Map<string, string>();
  let first: string | undefined;
  let isMalformed = false;
  const specs = text.split(';');
  for (const [index, spec] of specs.entries()) {
    const equals = spec.indexOf('=');
    if (equals < 0) {
      // One semicolon may end the list.
      if (spec.trim() !== '' || index < specs.length - 1 || index === 0) isMalformed = true;
      continue;
    }
    const name = spec.slice(0, equals).trim();
    if (!NAME.test(name) || tags.has(name)) isMalformed = true;
    first ??= name;
    tags.set(
      name,
      spec
        .slice(equals + 1)
        .replace(/\s+/g, ' ')
        .trim(),
    );
  }
  return { tags, first, isMalformed };
}

/** A list between colons, in lower case. */
export function readNames(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  return value
    .toLowerCase()
    .split(':')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
