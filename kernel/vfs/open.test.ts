import { beforeEach, describe, expect, it } from "vitest";
import { BUFFER, FileMachine } from "../testing/file-machine.ts";

const [WRONLY, RDWR, CREAT, EXCL, TRUNC, APPEND] = [1, 2, 0o100, 0o200, 0o1000, 0o2000];
const [DIRECTORY, NOFOLLOW, PATH, TMPFILE] = [0o200000, 0o400000, 0o10000000, 0o20200000];

let machine: FileMachine;
beforeEach(() => {
  machine = new FileMachine();
  machine.writeFile("/tmp/file", "hello");
  machine.call("mkdir", "/tmp/dir", 0o755);
  machine.call("symlink", "file", "/tmp/link");
  machine.call("symlink", "made", "/tmp/dangling");
  machine.call("mknod", "/tmp/socket", 0o140644, 0);
  machine.call("mknod", "/tmp/nodriver", 0o20644, 0xfe01);
});

const open = (path: string, flags: number, mode = 0o644) => machine.call("open", path, flags, mode);

describe("open", () => {
  it.each([
    ["/tmp/file", CREAT | EXCL, "EEXIST"],
    ["/tmp/link", CREAT | EXCL, "EEXIST"],
    ["/tmp/dangling", CREAT | EXCL, "EEXIST"],
    ["/tmp/link", NOFOLLOW, "ELOOP"],
    ["/tmp/dir", WRONLY, "EISDIR"],
    ["/tmp/dir", CREAT, "EISDIR"],
    ["/tmp/dir/", CREAT, "EISDIR"],
    ["/tmp/new/", CREAT, "EISDIR"],
    ["/tmp/file", DIRECTORY, "ENOTDIR"],
    ["/tmp/file", CREAT | DIRECTORY, "EINVAL"],
    ["/tmp/socket", RDWR, "ENXIO"],
    ["/tmp/nodriver", RDWR, "ENXIO"],
    ["/tmp/dir", TMPFILE, "EINVAL"],
    ["/tmp/file", TMPFILE | RDWR, "ENOTDIR"],
    ["/proc/new", CREAT | WRONLY, "EPERM"],
  ])("%s with flags %i gives %s", (path, flags, result) => {
    expect(open(path, flags)).toBe(result);
  });

  it("follows a dangling link to make the file it names", () => {
    expect(open("/tmp/dangling", CREAT | WRONLY)).toBe(0);
    expect(machine.list("/tmp")).toContain("made");
  });

  it("applies the umask to what it makes, and not to what is there", () => {
    machine.call("umask", 0o27);
    open("/tmp/made", CREAT | WRONLY, 0o4777);
    machine.call("stat", "/tmp/made", BUFFER);
    expect(machine.word(BUFFER + 24) & 0o7777).toBe(0o4750);
  });

  it("may write through a descriptor of a file made without write permission", () => {
    const { task } = machine;
    task.creds = { ...task.creds, fsuid: 1000, effective: 0n };
    const fd = open("/tmp/readonly", CREAT | WRONLY, 0o444) as number;
    expect(machine.call("write", fd, "x", 1)).toBe(1);
    expect(open("/tmp/readonly", WRONLY)).toBe("EACCES");
  });

  it("truncates with O_TRUNC and appends with O_APPEND wherever the position is", () => {
    const fd = open("/tmp/file", RDWR | APPEND) as number;
    machine.call("lseek", fd, 0, 0);
    machine.call("write", fd, " world", 6);
    expect(machine.readFile("/tmp/file")).toBe("hello world");
    open("/tmp/file", WRONLY | TRUNC);
    expect(machine.readFile("/tmp/file")).toBe("");
  });

  it("with O_PATH gives a descriptor that only names the place", () => {
    const fd = open("/tmp/link", PATH | NOFOLLOW) as number;
    expect(machine.call("read", fd, BUFFER, 1)).toBe("EBADF");
    expect(machine.call("fstat", fd, BUFFER)).toBe(0);
    expect(machine.call("readlinkat", fd, "", BUFFER, 100)).toBe(4);
    expect(machine.call("fchmod", fd, 0o600)).toBe("EBADF");
    expect(machine.call("dup", fd)).toBeGreaterThan(fd);
  });

  it("with O_TMPFILE makes a file that can be given a name later", () => {
    const fd = open("/tmp", TMPFILE | RDWR) as number;
    machine.call("write", fd, "secret", 6);
    expect(machine.list("/tmp")).not.toContain("named");
    expect(machine.call("linkat", fd, "", -100, "/tmp/named", 0x1000)).toBe(0);
    expect(machine.readFile("/tmp/named")).toBe("secret");
  });

  it("takes the lowest free descriptor, and gives EMFILE at the limit", () => {
    machine.task.group.limits[7] = { current: 3, maximum: 3 };
    const fds = [open("/tmp/file", 0), open("/tmp/file", 0), open("/tmp/file", 0)];
    expect(fds).toEqual([0, 1, 2]);
    expect(open("/tmp/file", 0)).toBe("EMFILE");
    machine.call("close", 1);
    expect(open("/tmp/file", 0)).toBe(1);
  });
});

describe("descriptors", () => {
  it("made by dup share position and status, but not FD_CLOEXEC", () => {
    const fd = open("/tmp/file", RDWR) as number;
    const copy = machine.call("fcntl", fd, 1030, 10) as number;
    expect(copy).toBe(10);
    machine.call("read", fd, BUFFER, 2);
    expect(machine.call("lseek", copy, 0, 1)).toBe(2);
    expect([machine.call("fcntl", fd, 1, 0), machine.call("fcntl", copy, 1, 0)]).toEqual([0, 1]);
    machine.call("fcntl", copy, 4, APPEND);
    expect((machine.call("fcntl", fd, 3, 0) as number) & APPEND).toBe(APPEND);
  });

  it.each([
    ["dup", [99], "EBADF"],
    ["dup2", [0, -1], "EBADF"],
    ["dup2", [0, 5000], "EBADF"],
    ["dup2", [99, 99], "EBADF"],
    ["dup2", [0, 0], 0],
    ["dup3", [0, 0, 0], "EINVAL"],
    ["dup3", [0, 5, 1], "EINVAL"],
    ["dup3", [0, 5, 0o2000000], 5],
    ["close", [99], "EBADF"],
    ["close_range", [5, 4, 0], "EINVAL"],
    ["fcntl", [0, 0, 5000], "EINVAL"],
    ["fcntl", [0, 12345, 0], "EINVAL"],
    ["lseek", [0, -1, 0], "EINVAL"],
    ["lseek", [0, 0, 9], "EINVAL"],
    ["ftruncate", [0, -1], "EINVAL"],
    ["pread64", [0, BUFFER, 1, -1], "EINVAL"],
  ] as const)("%s%j gives %s", (name, args, result) => {
    open("/tmp/file", RDWR);
    expect(machine.call(name, ...args)).toBe(result);
  });

  it("close_range closes what is in the range and nothing else", () => {
    for (let count = 0; count < 6; count++) open("/tmp/file", 0);
    expect(machine.call("close_range", 2, 4, 0)).toBe(0);
    expect([...machine.task.files.entries()].map(([fd]) => fd)).toEqual([0, 1, 5]);
  });

  it("close on exec when marked so", () => {
    open("/tmp/file", 0);
    open("/tmp/file", 0o2000000);
    machine.task.files.closeOnExec();
    expect([...machine.task.files.entries()].map(([fd]) => fd)).toEqual([0]);
  });
});
