/** Exit codes, as in sysexits.h, so that scripts can tell a wrong word from a missing server. */
export const EXIT = {
  ok: 0,
  /** The command line was wrong. */
  usage: 64,
  /** The input was wrong: a bad address, a bad value. */
  data: 65,
  /** What it speaks of does not exist. */
  noInput: 66,
  /** Something it needs is not there: the data folder is in use, a port is taken. */
  unavailable: 69,
  /** A defect of the product. */
  software: 70,
  /** The disk or the operating system said no; trying again may help. */
  temporary: 75,
  /** This user may not. */
  noPermission: 77,
  /** The configuration is wrong. */
  config: 78,
} as const;
