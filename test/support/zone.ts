/** The zone of the tests is that of the demo. */
export * from '../../src/cli/demo/zone.ts';
