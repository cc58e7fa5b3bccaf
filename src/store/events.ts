/** Events of store. */
import { event } from '../world/event.ts';

type Part = 'database' | 'content' | 'ledger';

export const storeEvents = {
  'store.full': event<{ part: Part; detail: string }>()({
    level: 'error',
    text: 'the disk is full: no mail is accepted until there is room again',
    metric: { name: 'postern_store_full_total', labels: ['part'] },
    webhook: true,
  }),
  'store.nearly-full': event<{ folder: string; freeBytes: number; sizeBytes: number }>()({
    level: 'error',
    text: 'the disk of the data folder is nearly full: when it is, no mail is accepted; make room',
    metric: { name: 'postern_store_nearly_full_total' },
    webhook: true,
  }),
  'store.roomy': event<{ folder: string; freeBytes: number }>()({
    level: 'info',
    text: 'the disk of the data folder has room again',
  }),
  'store.unavailable': event<{ part: Part; detail: string }>()({
    level: 'error',
    text: 'the disk or the database fails: mail is answered 451 until it works again',
    metric: { name: 'postern_store_unavailable_total', labels: ['part'] },
    webhook: true,
  }),
  'store.recovered': event<{ part: Part; afterMs: number }>()({
    level: 'info',
    text: 'the store takes mail again',
    metric: { name: 'postern_store_recovered_total', labels: ['part'] },
    webhook: true,
  }),
  'store.corrupt': event<{ file: string; detail: string }>()({
    level: 'error',
    text: 'a database is damaged: restore a backup, or recover what can be read with the sqlite3 tool',
    metric: { name: 'postern_store_corrupt_total' },
    webhook: true,
  }),
  'store.unclean': event<{ file: string; checked: boolean }>()({
    level: 'info',
    text: 'the node did not stop in order last time: its database was recovered from its log',
  }),
  'store.backed-up': event<{ file: string; sizeBytes: number }>()({
    level: 'info',
    text: 'the database was copied before its schema is changed',
  }),
  'store.migrated': event<{ from: number; to: number }>()({
    level: 'info',
    text: 'the schema of the database was brought up to date',
  }),
  'store.ledger-damaged': event<{ file: string }>()({
    level: 'error',
    text: 'a file of the ledger is damaged: what can be read of it is kept, messages that were on their way in the rest are lost',
    metric: { name: 'postern_store_ledger_damaged_total' },
    webhook: true,
  }),
  'store.node-replaced': event<{ number: number; id: string }>()({
    level: 'error',
    text: 'another node started with this one’s number, as with a copy of its data folder: this one stops; give the copy a folder of its own',
    metric: { name: 'postern_store_node_replaced_total' },
    webhook: true,
  }),
  'content.set-aside': event<{ key: string; to: string }>()({
    level: 'error',
    text: 'a damaged content file was moved aside',
    metric: { name: 'postern_content_set_aside_total' },
    webhook: true,
  }),
  'content.swept': event<{ files: number }>()({
    level: 'info',
    text: 'content files that no message refers to were deleted',
  }),
} as const;

type StoreEvents = typeof storeEvents;
declare module '../world/events.ts' {
  interface EventList extends StoreEvents {}
}
