import { shown, struct, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";

export const iovec = struct("iovec", { iov_base: shown(u64, "address"), iov_len: u64 }, { size: 16, page: "readv(2)" });
export type iovec = TypeOf<typeof iovec>;

/** The sixth argument of pselect6(2): a sigset and its size. */
export const sigset_argpack = struct(
  "sigset_argpack",
  { p: shown(u64, "address"), size: u64 },
  { size: 16, page: "pselect6(2)" },
);
