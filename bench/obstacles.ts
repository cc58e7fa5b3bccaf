import { onPath } from '../scripts/on-path.ts';

const TOOLS = ['postfix', 'smtp-source', 'smtp-sink'];

/** What keeps the benches from running here, each as the rest of "cannot start, as ...". */
export function obstacles(): readonly string[] {
  const missing = TOOLS.filter((tool) => !onPath(tool));
  return [
    ...(process.platform === 'linux'
      ? []
      : [`memory is read from /proc, so this must be Linux: it is ${process.platform}`]),
    ...(process.getuid?.() === 0 ? [] : ['Postfix starts only as root, so this must run as root']),
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} must be installed: apt-get install postfix`]),
  ];
}
