/** Events of the node as a whole: start, ready, stop. */
import { event } from '../event.ts';

export const nodeEvents = {
  'node.starting': event<{ version: string; data: string }>()({ level: 'info', text: 'the node is starting' }),
  'node.ready': event<{ listeners: Record<string, string>; tookMs: number }>()({
    level: 'info',
    text: 'the node accepts mail',
  }),
  'node.stopping': event<{ signal: string }>()({
    level: 'info',
    text: 'the node is stopping: sessions in flight may finish',
  }),
  'node.stopped': event<{ tookMs: number }>()({ level: 'info', text: 'the node has stopped' }),
  'node.defect': event<{ where: string; error: string; stack?: string }>()({
    level: 'error',
    text: 'a defect: what it happened in was ended, nothing else',
    metric: { name: 'postern_defects_total' },
    webhook: true,
  }),
} as const;
