/**
 * The modules of mailauth that verify, as this room uses them: each is loaded when first needed, since
 * an idle node should not pay for them. Only what is used is typed; all run in strict mode.
 */

import type { KeyObject } from 'node:crypto';

/** A resolver as mailauth asks it: the records, or an error with a code of node:dns. */
export type Ask = (name: string, type: string) => Promise<readonly unknown[]>;

export interface Status<R extends string> {
  readonly result: R;
  readonly comment?: string;
}

export interface SpfModule {
  spf(options: {
    sender: string;
    ip: string;
    helo: string;
    mta: string;
    resolver: Ask;
    strict: true;
    maxElapsedTime: number;
  }): Promise<{ readonly status: Status<string>; readonly rr?: string }>;
}

export interface RawTags {
  readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>;
}

export interface RawSignature {
  readonly signingDomain?: string;
  readonly selector?: string;
  readonly algo?: string;
  readonly signature?: string;
  readonly modulusLength?: number;
  readonly status: Status<string> & {
    readonly testing?: boolean;
    readonly underSized?: number;
    readonly policy?: { readonly 'dkim-rules'?: string };
  };
}

export interface RawHeaders {
  parsed: readonly { readonly key?: string; readonly line: Uint8Array }[];
}

export interface RawArcLink {
  readonly 'arc-seal'?: RawTags;
  /** As it stands in the header; what mailauth reads of it has one result of each method. */
  readonly 'arc-authentication-results'?: { readonly original?: Uint8Array };
  readonly messageSignature?: RawSignature;
}

export interface RawArc {
  readonly chain: readonly RawArcLink[] | false;
  readonly lastEntry?: RawArcLink;
  /** Used again for the seals, as long as its resolver is the one that they are validated with. */
  keyCache?: KeyCache;
}

export interface PublicKey {
  readonly publicKey: string | Buffer | KeyObject;
}

export interface KeyCache {
  readonly resolver: Ask;
  get(
    type: string,
    name: string,
    minBitLength: number,
    options: { readonly strict?: boolean; readonly hashAlgo?: string },
  ): Promise<PublicKey>;
}

export interface ToolsModule {
  getPublicKey(
    type: string,
    name: string,
    minBitLength: number,
    resolver: Ask,
    options: { readonly strict?: boolean; readonly hashAlgo?: string },
  ): Promise<PublicKey>;
}

/** mailauth's verifier, fed by hand: its stream looks at every octet of a header that we have already measured. */
export interface Verifier {
  emitHeaders(header: Uint8Array): Promise<void>;
  messageHeaders(headers: RawHeaders): Promise<void>;
  nextChunk(chunk: Uint8Array): Promise<void>;
  finalChunk(): Promise<void>;
  /** Bare LF to CRLF; goes by `lastByte`. */
  ensureLinebreaks(chunk: Uint8Array): Iterable<Uint8Array>;
  lastByte?: number;
  keyCache: KeyCache;
  readonly results: readonly RawSignature[];
  readonly signatureHeaders: readonly (RawTags & { readonly type: 'DKIM' | 'ARC'; readonly timestamp?: Date | null })[];
  readonly arc: RawArc;
}

export interface DkimModule {
  readonly DkimVerifier: new (options: {
    resolver: Ask;
    minBitLength: number;
    strict: true;
    curTime: Date;
  }) => Verifier;
}

export interface ArcModule {
  arc(
    data: RawArc,
    options: { resolver: Ask; minBitLength: number; strict: true },
  ): Promise<{ readonly status: Status<'none' | 'pass' | 'fail'> }>;
}

export interface RawDmarc {
  readonly status: Status<'pass' | 'fail' | 'none' | 'temperror'> & { readonly header: { readonly from: string } };
  readonly policyDomain?: string;
  readonly policy?: 'none' | 'quarantine' | 'reject';
  readonly p?: 'none' | 'quarantine' | 'reject';
  readonly error?: string;
  readonly alignment?: { readonly spf: { readonly result?: string }; readonly dkim: { readonly result?: string } };
  readonly record?: Readonly<Record<string, string | false | undefined>>;
  readonly orgRecord?: Readonly<Record<string, string | false | undefined>> | false | null;
}

export interface DmarcModule {
  evaluateDmarc(options: {
    headerFrom: readonly string[];
    fromFields: number;
    spfDomains: readonly string[];
    dkimDomains: readonly { readonly domain: string }[];
    resolver: Ask;
    strict: true;
  }): Promise<{
    readonly response: RawDmarc | false;
    readonly dkimAligned?: ReadonlySet<string>;
    readonly reason?: string;
  }>;
}

export const loadSpf = once<SpfModule>('mailauth/lib/spf/index.js');
export const loadDkim = once<DkimModule>('mailauth/lib/dkim/dkim-verifier.js');
export const loadTools = once<ToolsModule>('mailauth/lib/tools.js');
export const loadArc = once<ArcModule>('mailauth/lib/arc/index.js');
export const loadDmarc = once<DmarcModule>('mailauth/lib/dmarc/index.js');

/**
 * Loaded once; the modules are CommonJS, so what they export is the default. One that is missing, as
 * during an upgrade, is looked for again by the next message.
 */
function once<T>(path: string): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= import(path).then(
      (module: { default: T }) => module.default,
      (error: unknown) => {
        loaded = undefined;
        throw error;
      },
    );
    return loaded;
  };
}
