/** The zone that tests own is the one that the demo runs on. */
export * from '../../src/cli/demo/zone.ts';
