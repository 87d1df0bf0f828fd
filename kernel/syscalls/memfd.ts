/** memfd_create(2). */
import { EINVAL } from "../../abi/errno.ts";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL } from "../../abi/mman.ts";
import { handler } from "../dispatch.ts";
import { createMemfd } from "../fs/memfd.ts";
import { readCString } from "../mm/user-copy.ts";
import { fromBytes } from "../vfs/byte-string.ts";
import { installNew } from "../vfs/fd-table.ts";

/** NAME_MAX less the prefix "memfd:", with the NUL. */
const NAME_LIMIT = 250;

export const memfdCreate = handler("memfd_create", (task, name, flags) => {
  const known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
  const both = MFD_NOEXEC_SEAL | MFD_EXEC;
  if ((flags & ~known) !== 0 || (flags & both) === both) throw EINVAL;
  const text = fromBytes(readCString(task.memory, name, NAME_LIMIT, EINVAL));
  const noExec = (flags & MFD_NOEXEC_SEAL) !== 0;
  const file = createMemfd(task.kernel, {
    name: text,
    uid: task.creds.fsuid,
    gid: task.creds.fsgid,
    sealable: noExec || (flags & MFD_ALLOW_SEALING) !== 0,
    executable: !noExec,
  });
  return installNew(task, file, (flags & MFD_CLOEXEC) !== 0);
});
