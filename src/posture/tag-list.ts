/**
 * Tag lists (RFC 6376 3.2), the syntax of DKIM key records and DMARC records: `v=DMARC1; p=none`. Never throws;
 * violations of the grammar are reported beside the readable parts.
 */
export interface Tag {
  readonly name: string;
  readonly value: string;
}

export interface TagList {
  readonly tags: readonly Tag[];
  /** The first tag of that name. */
  get(name: string): string | undefined;
  /** Names that occur more than once: RFC 6376 3.2 voids the whole list. */
  readonly repeated: readonly string[];
  /** Parts without `=`, or with an invalid name. */
  readonly broken: readonly string[];
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

export function parseTagList(text: string): TagList {
  const tags: Tag[] = [];
  const broken: string[] = [];
  for (const part of text.split(';')) {
    const trimmed = part.trim();
    if (trimmed === '') continue;
    const equals = trimmed.indexOf('=');
    const name = trimmed.slice(0, Math.max(equals, 0)).trim();
    if (NAME.test(name)) tags.push({ name, value: trimmed.slice(equals + 1).trim() });
    else broken.push(trimmed);
  }
  const byName = new Map<string, string>();
  const repeated = new Set<string>();
  for (const { name, value } of tags) {
    if (byName.has(name)) repeated.add(name);
    else byName.set(name, value);
  }
  return { tags, get: (name) => byName.get(name), repeated: [...repeated], broken };
}
