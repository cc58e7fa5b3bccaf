/** Keys and signatures made for a test are made as the demo makes them. */
export * from '../../../../src/cli/demo/signed.ts';
