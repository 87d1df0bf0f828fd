/** Files in memory without a name (memfd_create(2)). */
import { F_SEAL_EXEC, F_SEAL_SEAL, O_LARGEFILE, O_RDWR } from "../../abi/fcntl.ts";
import { S_IFREG } from "../../abi/stat.ts";
import type { Kernel } from "../kernel.ts";
import { StoreFile } from "../vfs/store-file.ts";
import { TmpFs } from "./tmpfs.ts";
import { TmpfsFile } from "./tmpfs-file.ts";

const homes = new WeakMap<Kernel, TmpFs>();

export interface MemfdOptions {
  name: string;
  uid: number;
  gid: number;
  sealable: boolean;
  executable: boolean;
}

export function createMemfd(kernel: Kernel, { name, uid, gid, sealable, executable }: MemfdOptions): StoreFile {
  let fs = homes.get(kernel);
  if (!fs) homes.set(kernel, (fs = new TmpFs(kernel)));
  const inode = new TmpfsFile(fs, S_IFREG | (executable ? 0o777 : 0o666));
  inode.nlink = 0;
  inode.uid = uid;
  inode.gid = gid;
  inode.fileSeals = (sealable ? 0 : F_SEAL_SEAL) | (executable ? 0 : F_SEAL_EXEC);
  inode.atime = inode.mtime = inode.ctime = inode.birth = kernel.realtime();
  return new StoreFile(inode, null, O_RDWR | O_LARGEFILE, `/memfd:${name} (deleted)`);
}
