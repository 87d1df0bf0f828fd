import { cstring, struct } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

/** Longest name in any field of utsname, without its NUL. */
export const __NEW_UTS_LEN = 64;

export const utsname = struct(
  "new_utsname",
  {
    sysname: cstring(65),
    nodename: cstring(65),
    release: cstring(65),
    version: cstring(65),
    machine: cstring(65),
    domainname: cstring(65),
  },
  { size: 390, page: "uname(2)" },
);
export type utsname = TypeOf<typeof utsname>;
