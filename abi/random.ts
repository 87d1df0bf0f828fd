import { flagSet } from "./flags.ts";

// getrandom(2)
export const GRND_NONBLOCK = 1;
export const GRND_RANDOM = 2;
export const GRND_INSECURE = 4;
export const getrandomFlags = flagSet("getrandom flags", { GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE });
