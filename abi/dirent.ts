import { enumSet } from "./flags.ts";
import { i64, shown, struct, u16, u64, u8 } from "./layout.ts";

// readdir(3): the type of an entry is the S_IFMT part of its mode shifted right by 12.
export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;
export const DT_WHT = 14;
export const direntTypes = enumSet("directory entry types", {
  DT_UNKNOWN,
  DT_FIFO,
  DT_CHR,
  DT_DIR,
  DT_BLK,
  DT_REG,
  DT_LNK,
  DT_SOCK,
  DT_WHT,
});

/**
 * What comes before the name in each record of getdents64(2), 19 bytes without padding. d_reclen covers header, name,
 * NUL and padding to 8 bytes.
 */
export const linux_dirent64 = struct(
  "linux_dirent64",
  { d_ino: u64, d_off: i64, d_reclen: u16, d_type: shown(u8, direntTypes) },
  { size: 19, packed: true, page: "getdents64(2)" },
);

/** What comes before the name in each record of getdents(2); the type is in the record's last byte. */
export const linux_dirent = struct(
  "linux_dirent",
  { d_ino: u64, d_off: u64, d_reclen: u16 },
  { size: 18, packed: true, page: "getdents(2)" },
);
