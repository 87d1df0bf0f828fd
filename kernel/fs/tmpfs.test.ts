import { beforeEach, describe, expect, it } from "vitest";
import { BAD_ADDRESS, BUFFER, FileMachine } from "../testing/file-machine.ts";

let machine: FileMachine;
beforeEach(() => {
  machine = new FileMachine();
});

const asUser = (uid: number) => {
  const { task } = machine;
  task.creds = {
    ...task.creds,
    uid,
    euid: uid,
    fsuid: uid,
    gid: uid,
    egid: uid,
    fsgid: uid,
    effective: 0n,
    permitted: 0n,
  };
};

describe("rename", () => {
  beforeEach(() => {
    machine.call("mkdir", "/tmp/d", 0o755);
    machine.call("mkdir", "/tmp/d/sub", 0o755);
    machine.call("mkdir", "/tmp/empty", 0o755);
    machine.writeFile("/tmp/a", "a");
    machine.writeFile("/tmp/b", "b");
    machine.call("link", "/tmp/a", "/tmp/a2");
  });

  it.each([
    ["/tmp/a", "/tmp/c", 0, 0],
    ["/tmp/a", "/tmp/b", 0, 0],
    ["/tmp/a", "/tmp/b", 1, "EEXIST"],
    ["/tmp/a", "/tmp/a2", 0, 0],
    ["/tmp/a", "/tmp/c", 2, "ENOENT"],
    ["/tmp/a", "/tmp/d", 2, 0],
    ["/tmp/a", "/tmp/b", 3, "EINVAL"],
    ["/tmp/a", "/tmp/b", 4, "EINVAL"],
    ["/tmp/a", "/tmp/d", 0, "EISDIR"],
    ["/tmp/a", "/tmp/c/", 0, "ENOTDIR"],
    ["/tmp/a/", "/tmp/c", 0, "ENOTDIR"],
    ["/tmp/d", "/tmp/a", 0, "ENOTDIR"],
    ["/tmp/d", "/tmp/empty", 0, 0],
    ["/tmp/empty", "/tmp/d", 0, "ENOTEMPTY"],
    ["/tmp/d", "/tmp/new/", 0, 0],
    ["/tmp/d", "/tmp/d/sub/x", 0, "EINVAL"],
    ["/tmp/d/sub", "/tmp/d", 0, "ENOTEMPTY"],
    ["/tmp/none", "/tmp/c", 0, "ENOENT"],
    ["/tmp/d/.", "/tmp/c", 0, "EBUSY"],
    ["/tmp/a", "/tmp/d/..", 0, "EBUSY"],
    ["/tmp/a", "/dev/a", 0, "EXDEV"],
    ["/proc", "/tmp/c", 0, "EXDEV"],
  ])("%s to %s with flags %i gives %s", (from, to, flags, result) => {
    expect(machine.call("renameat2", -100, from, -100, to, flags)).toBe(result);
  });

  it("moves the name and keeps the file", () => {
    machine.call("rename", "/tmp/a", "/tmp/d/moved");
    expect(machine.readFile("/tmp/d/moved")).toBe("a");
    expect(machine.readFile("/tmp/a")).toBe("ENOENT");
  });

  it("of two names of one file does nothing", () => {
    machine.call("rename", "/tmp/a", "/tmp/a2");
    expect(machine.list("/tmp")).toEqual(["a", "a2", "b", "d", "empty"]);
  });

  it("with RENAME_EXCHANGE swaps a file and a directory and their link counts", () => {
    machine.call("renameat2", -100, "/tmp/a", -100, "/tmp/d/sub", 2);
    expect(machine.readFile("/tmp/d/sub")).toBe("a");
    expect(machine.call("rmdir", "/tmp/a")).toBe(0);
    machine.call("stat", "/tmp/d", BUFFER);
    expect(machine.word(BUFFER + 16)).toBe(2);
  });

  it("changes the path that a working directory reports", () => {
    machine.call("chdir", "/tmp/d/sub");
    machine.call("rename", "/tmp/d", "/tmp/renamed");
    const length = machine.call("getcwd", BUFFER, 100) as number;
    expect(machine.text(length - 1)).toBe("/tmp/renamed/sub");
  });
});

describe("removing", () => {
  it.each([
    ["unlink", "/tmp/none", "ENOENT"],
    ["unlink", "/tmp/d", "EISDIR"],
    ["unlink", "/tmp/f/", "ENOTDIR"],
    ["unlink", "/tmp/f", 0],
    ["rmdir", "/tmp/f", "ENOTDIR"],
    ["rmdir", "/tmp/d", "ENOTEMPTY"],
    ["rmdir", "/tmp/d/.", "EINVAL"],
    ["rmdir", "/tmp/d/..", "ENOTEMPTY"],
    ["rmdir", "/", "EBUSY"],
    ["rmdir", "/proc", "EBUSY"],
    ["rmdir", "/tmp/e/", 0],
  ])("%s of %s gives %s", (name, path, result) => {
    machine.call("mkdir", "/tmp/d", 0o755);
    machine.call("mkdir", "/tmp/e", 0o755);
    machine.writeFile("/tmp/d/x", "");
    machine.writeFile("/tmp/f", "");
    expect(machine.call(name, path)).toBe(result);
  });

  it("a file that is open keeps its contents until the last descriptor goes", () => {
    const { memory } = machine.kernel.frames;
    machine.writeFile("/tmp/warm-up", "x".repeat(100_000));
    machine.readFile("/tmp/warm-up");
    machine.call("truncate", "/tmp/warm-up", 0);
    const before = memory.freeFrames;
    machine.writeFile("/tmp/f", "x".repeat(100_000));
    const fd = machine.call("open", "/tmp/f", 0, 0) as number;
    expect(memory.freeFrames).toBe(before - 25);
    machine.call("unlink", "/tmp/f");
    expect(memory.freeFrames).toBe(before - 25);
    expect(machine.call("pread64", fd, BUFFER, 5, 99_990)).toBe(5);
    const link = machine.call("readlink", `/proc/self/fd/${fd}`, BUFFER, 100) as number;
    expect(machine.text(link)).toBe("/tmp/f (deleted)");
    machine.call("close", fd);
    expect(memory.freeFrames).toBe(before);
  });

  it("in a sticky directory is for owners only", () => {
    machine.writeFile("/tmp/roots", "");
    asUser(1000);
    machine.writeFile("/tmp/mine", "");
    expect(machine.call("unlink", "/tmp/roots")).toBe("EPERM");
    expect(machine.call("rename", "/tmp/roots", "/tmp/x")).toBe("EPERM");
    expect(machine.call("rename", "/tmp/mine", "/tmp/roots")).toBe("EPERM");
    expect(machine.call("unlink", "/tmp/mine")).toBe(0);
  });

  it("a directory somebody works in makes its path unknown", () => {
    machine.call("mkdir", "/tmp/d", 0o755);
    machine.call("chdir", "/tmp/d");
    machine.call("rmdir", "/tmp/d");
    expect(machine.call("getcwd", BUFFER, 100)).toBe("ENOENT");
    expect(machine.call("open", "x", 0o101, 0o644)).toBe("ENOENT");
    expect(machine.call("stat", ".", BUFFER)).toBe(0);
  });
});

describe("contents", () => {
  it("are sparse: a hole costs nothing and reads as zeros", () => {
    const { memory } = machine.kernel.frames;
    const fd = machine.call("open", "/tmp/f", 0o102, 0o644) as number;
    machine.call("pwrite64", fd, "x", 1, 0);
    const before = memory.freeFrames;
    machine.call("pwrite64", fd, "end", 3, 1_000_000);
    expect(before - memory.freeFrames).toBe(1);
    expect(machine.call("pread64", fd, BUFFER, 4, 500_000)).toBe(4);
    expect(machine.text(4)).toBe("\0\0\0\0");
    expect(machine.call("lseek", fd, 0, 4)).toBe(4096);
    expect(machine.call("lseek", fd, 4096, 3)).toBe(999_424);
    expect(machine.call("lseek", fd, 2_000_000, 3)).toBe("ENXIO");
  });

  it("cut off do not come back when the file grows again", () => {
    machine.writeFile("/tmp/f", "abcdef");
    machine.call("truncate", "/tmp/f", 3);
    machine.call("truncate", "/tmp/f", 6);
    expect(machine.readFile("/tmp/f")).toBe("abc\0\0\0");
  });

  it("punched out become zeros", () => {
    machine.writeFile("/tmp/f", "abcdef");
    const fd = machine.call("open", "/tmp/f", 2, 0) as number;
    expect(machine.call("fallocate", fd, 3, 1, 2)).toBe(0);
    expect(machine.readFile("/tmp/f")).toBe("a\0\0def");
    expect(machine.call("fallocate", fd, 2, 1, 2)).toBe("EOPNOTSUPP");
    expect(machine.call("fallocate", fd, 0, 0, 0)).toBe("EINVAL");
    expect(machine.call("fallocate", fd, 0, 0, 8192)).toBe(0);
    machine.call("fstat", fd, BUFFER);
    expect(machine.word(BUFFER + 48)).toBe(8192);
  });

  it("end at the size limit with ENOSPC, after what fits", () => {
    machine.call("mkdir", "/tmp/m", 0o755);
    expect(machine.call("mount", "none", "/tmp/m", "tmpfs", 0, "size=8k")).toBe(0);
    const fd = machine.call("open", "/tmp/m/f", 0o102, 0o644) as number;
    expect(machine.call("write", fd, BUFFER, 12_288)).toBe(8192);
    expect(machine.call("write", fd, BUFFER, 1)).toBe("ENOSPC");
    machine.call("ftruncate", fd, 0);
    expect(machine.call("pwrite64", fd, BUFFER, 10, 0)).toBe(10);
  });

  it("end at RLIMIT_FSIZE with EFBIG and SIGXFSZ", () => {
    machine.task.group.limits[1] = { current: 10, maximum: 10 };
    const fd = machine.call("open", "/tmp/f", 0o102, 0o644) as number;
    expect(machine.call("write", fd, BUFFER, 20)).toBe(10);
    expect(machine.call("write", fd, BUFFER, 1)).toBe("EFBIG");
    expect(machine.task.pending.set.has(25)).toBe(true);
  });

  it("are moved as far as the buffer reaches, and EFAULT comes before anything moves", () => {
    machine.writeFile("/tmp/f", "x".repeat(10_000));
    const fd = machine.call("open", "/tmp/f", 2, 0) as number;
    expect(machine.call("read", fd, BAD_ADDRESS, 10)).toBe("EFAULT");
    expect(machine.call("read", fd, BUFFER + 64 * 4096 - 100, 5000)).toBe(100);
    expect(machine.call("lseek", fd, 0, 1)).toBe(100);
    expect(machine.call("write", fd, BAD_ADDRESS, 10)).toBe("EFAULT");
    expect(machine.call("lseek", fd, 0, 1)).toBe(100);
  });
});

describe("attributes", () => {
  const modeOf = (path: string) => {
    machine.call("stat", path, BUFFER);
    return machine.word(BUFFER + 24) & 0o7777;
  };

  it("of a set-group-ID directory are handed on", () => {
    machine.call("mkdir", "/tmp/d", 0o777);
    machine.call("chown", "/tmp/d", 0, 50);
    machine.call("chmod", "/tmp/d", 0o2777);
    machine.call("mkdir", "/tmp/d/sub", 0o755);
    machine.writeFile("/tmp/d/f", "");
    expect(modeOf("/tmp/d/sub")).toBe(0o2755);
    machine.call("stat", "/tmp/d/f", BUFFER);
    expect(machine.word(BUFFER + 32)).toBe(50);
  });

  it("lose set-user-ID when somebody else writes or the owner changes", () => {
    machine.writeFile("/tmp/f", "");
    machine.call("chmod", "/tmp/f", 0o6777);
    machine.call("chown", "/tmp/f", 1000, -1);
    expect(modeOf("/tmp/f")).toBe(0o777);
    machine.call("chmod", "/tmp/f", 0o4777);
    asUser(2000);
    const fd = machine.call("open", "/tmp/f", 1, 0) as number;
    machine.call("write", fd, "x", 1);
    expect(modeOf("/tmp/f")).toBe(0o777);
  });

  it.each([
    ["chmod", ["/tmp/f", 0o600], "EPERM"],
    ["chown", ["/tmp/f", 1000, -1], "EPERM"],
    ["utimensat", [-100, "/tmp/f", new Uint8Array(32), 0], "EPERM"],
    ["utimensat", [-100, "/tmp/f", 0, 0], "EACCES"],
    ["access", ["/tmp/f", 2], "EACCES"],
    ["access", ["/tmp/f", 4], 0],
    ["access", ["/tmp/f", 8], "EINVAL"],
    ["link", ["/tmp/f", "/tmp/g"], 0],
    ["mknod", ["/tmp/n", 0o20644, 0x103], "EPERM"],
    ["mknod", ["/tmp/n", 0o10644, 0], 0],
    ["mkdir", ["/x", 0o755], "EACCES"],
    ["chroot", ["/tmp"], "EPERM"],
    ["mount", ["none", "/tmp", "tmpfs", 0, 0], "EPERM"],
  ] as const)("%s%j by a stranger gives %s", (name, args, result) => {
    machine.writeFile("/tmp/f", "");
    asUser(1000);
    expect(machine.call(name, ...args)).toBe(result);
  });
});
