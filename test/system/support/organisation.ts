/** A node with example.com and alice@example.com, whose mail server is a sink on 127.0.0.2. */
import type { TestContext } from 'node:test';
import { type Sink, startSink } from '../../../src/cli/demo/sink.ts';
import { type NodeOptions, type RunningNode, startNode, temporaryFolder } from './node.ts';

export interface Organisation {
  readonly sink: Sink;
  readonly node: RunningNode;
}

export function setupOf(sink: Sink): readonly (readonly string[])[] {
  return [
    ['domain', 'add', 'example.com', '--server', `${sink.host}:${sink.port}`],
    ['user', 'add', 'alice@example.com'],
  ];
}

export async function organisation(t: TestContext, options: NodeOptions = {}): Promise<Organisation> {
  const sink = await startSink();
  t.after(() => sink.close());
  const node = await startNode(t, { data: temporaryFolder(t), ...options, setup: setupOf(sink) });
  return { sink, node };
}
