/** Events of the node as a whole: start, ready, stop. */
import { event } from './event.ts';

export const nodeEvents = {
  'node.starting': event<{ version: string; data: string }>()({ level: 'info', text: 'the node is starting' }),
  'node.ready': event<{ listeners: Record<string, string>; tookMs: number }>()({
    level: 'info',
    text: 'the node accepts mail',
  }),
  'node.port-fallback': event<{ listener: string; wanted: number; taken: number }>()({
    level: 'warn',
    text: 'a low port may not be bound by this user: another was taken, where no sender looks for it; grant CAP_NET_BIND_SERVICE or configure a port',
  }),
  'node.config-warning': event<{ warning: string }>()({
    level: 'warn',
    text: 'the configuration has something that is not used',
  }),
  'node.loop-held': event<{ step: string; about: string; heldMs: number; unreported: number }>()({
    level: 'warn',
    text: 'the event loop was held: every connection waited for one step; `about` is the message or the session',
    metric: { name: 'postern_event_loop_held_total', labels: ['step'] },
  }),
  'node.stopping': event<{ signal: string }>()({
    level: 'info',
    text: 'the node is stopping: sessions in flight may finish',
  }),
  'node.signal-ignored': event<{ signal: string }>()({
    level: 'warn',
    text: 'a signal was ignored: settings apply at once, postern.toml and certificates at the next start',
  }),
  'node.stopped': event<{ tookMs: number }>()({ level: 'info', text: 'the node has stopped' }),
  'node.defect': event<{ where: string; error: string; stack?: string }>()({
    untrusted: true,
    level: 'error',
    text: 'a defect: what it happened in was ended, nothing else',
    metric: { name: 'postern_defects_total' },
    webhook: true,
  }),
} as const;

type NodeEvents = typeof nodeEvents;
declare module './events.ts' {
  interface EventList extends NodeEvents {}
}
