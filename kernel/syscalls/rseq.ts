/** rseq(2): registering the thread's struct rseq. */
import { EBUSY, EINVAL, EPERM } from "../../abi/errno.ts";
import { RSEQ_FLAG_UNREGISTER, rseq as layout } from "../../abi/sched.ts";
import { handler } from "../dispatch.ts";
import { checkRange, writeU32 } from "../mm/user-copy.ts";
import { announceProcessor } from "../task/rseq.ts";

const UNINITIALIZED = 0xffffffff;

export const rseq = handler("rseq", (task, address, length, flags, signature) => {
  const now = task.rseq;
  if ((flags & RSEQ_FLAG_UNREGISTER) !== 0) {
    if ((flags & ~RSEQ_FLAG_UNREGISTER) !== 0) throw EINVAL;
    if (now.address === 0 || now.address !== address || now.length !== length) throw EINVAL;
    if (now.signature !== signature) throw EPERM;
    writeU32(task.memory, address + layout.offsets.cpu_id_start, 0);
    writeU32(task.memory, address + layout.offsets.cpu_id, UNINITIALIZED);
    task.rseq = { address: 0, length: 0, signature: 0 };
    return 0;
  }
  if (flags !== 0) throw EINVAL;
  if (now.address !== 0) {
    if (now.address !== address || now.length !== length) throw EINVAL;
    if (now.signature !== signature) throw EPERM;
    throw EBUSY;
  }
  if (address % layout.align !== 0 || length !== layout.size) throw EINVAL;
  checkRange(address, length);
  task.rseq = { address, length, signature };
  try {
    announceProcessor(task);
  } catch (error) {
    task.rseq = now;
    throw error;
  }
  return 0;
});
