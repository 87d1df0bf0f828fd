/** ioctl(2): what every file understands, before the file itself is asked. */
import { EINVAL, ENOTTY } from "../../abi/errno.ts";
import { FD_CLOEXEC, O_NONBLOCK } from "../../abi/fcntl.ts";
import { FIBMAP, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE } from "../../abi/ioctl.ts";
import { handler } from "../dispatch.ts";
import { readI32, writeU32, writeU64 } from "../mm/user-copy.ts";

export const ioctl = handler("ioctl", (task, fd, command, argument) => {
  const file = task.files.get(fd);
  switch (command) {
    case FIOCLEX:
      task.files.setFlags(fd, FD_CLOEXEC);
      return 0;
    case FIONCLEX:
      task.files.setFlags(fd, 0);
      return 0;
    case FIONBIO: {
      const on = readI32(task.memory, argument) !== 0;
      file.setStatus(on ? file.flags | O_NONBLOCK : file.flags & ~O_NONBLOCK);
      return 0;
    }
    case FIOASYNC:
      readI32(task.memory, argument);
      return 0;
    case FIOQSIZE:
      if (!file.inode.isRegular && !file.inode.isDirectory && !file.inode.isSymlink) throw ENOTTY;
      writeU64(task.memory, argument, file.inode.size);
      return 0;
    case FIONREAD:
      if (!file.inode.isRegular || !file.seekable) return file.ioctl(task, command, argument);
      writeU32(task.memory, argument, Math.max(0, file.inode.size - file.position));
      return 0;
    case FIBMAP:
      throw EINVAL;
    default:
      return file.ioctl(task, command, argument);
  }
});
