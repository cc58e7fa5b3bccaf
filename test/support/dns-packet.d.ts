/** The part of dns-packet that the test zone uses; the package ships no types. */
declare module 'dns-packet' {
  export interface Question {
    name: string;
    type: string;
    class?: string;
  }
  export interface Answer extends Question {
    ttl?: number;
    data?: unknown;
    flush?: boolean;
  }
  export interface Packet {
    id: number;
    type: 'query' | 'response';
    flags: number;
    flag_ad?: boolean;
    questions: Question[];
    answers?: Answer[];
    authorities?: Answer[];
    additionals?: { type: string; name: string; udpPayloadSize?: number }[];
  }
  export const AUTHORITATIVE_ANSWER: number;
  export const TRUNCATED_RESPONSE: number;
  export const RECURSION_AVAILABLE: number;
  export const RECURSION_DESIRED: number;
  export const AUTHENTIC_DATA: number;
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Uint8Array): Packet;
}
