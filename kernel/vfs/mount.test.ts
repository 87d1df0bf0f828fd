import { beforeEach, describe, expect, it } from "vitest";
import { BUFFER, FileMachine } from "../testing/file-machine.ts";

const [RDONLY, NODEV, NOEXEC, REMOUNT, BIND, MOVE, REC, PRIVATE] = [1, 4, 8, 0x20, 0x1000, 0x2000, 0x4000, 0x40000];
const DETACH = 2;

let machine: FileMachine;
beforeEach(() => {
  machine = new FileMachine();
  for (const name of ["a", "b", "a/sub"]) machine.call("mkdir", `/tmp/${name}`, 0o755);
  machine.writeFile("/tmp/a/file", "in a");
});

const mount = (source: string, target: string, type: string | number, flags: number, data: string | number = 0) =>
  machine.call("mount", source, target, type, flags, data);

describe("mount", () => {
  it("hides what was there until it is taken away", () => {
    expect(mount("none", "/tmp/a", "tmpfs", 0)).toBe(0);
    expect(machine.list("/tmp/a")).toEqual([]);
    machine.writeFile("/tmp/a/new", "");
    expect(machine.call("umount2", "/tmp/a", 0)).toBe(0);
    expect(machine.list("/tmp/a")).toEqual(["file", "sub"]);
  });

  it("bound elsewhere shows the same files, .. leading to where it is bound", () => {
    expect(mount("/tmp/a", "/tmp/b", 0, BIND)).toBe(0);
    expect(machine.readFile("/tmp/b/file")).toBe("in a");
    machine.call("chdir", "/tmp/b/sub");
    machine.call("chdir", "../..");
    const length = machine.call("getcwd", BUFFER, 100) as number;
    expect(machine.text(length - 1)).toBe("/tmp");
  });

  it("bound read-only refuses through the one path only", () => {
    mount("/tmp/a", "/tmp/b", 0, BIND);
    expect(mount("none", "/tmp/b", 0, BIND | REMOUNT | RDONLY)).toBe(0);
    expect(machine.call("open", "/tmp/b/file", 1, 0)).toBe("EROFS");
    expect(machine.call("open", "/tmp/a/file", 1, 0)).toBe(0);
    expect(machine.call("rename", "/tmp/a/file", "/tmp/b/x")).toBe("EXDEV");
  });

  it("bound with MS_REC brings the mounts inside along, without it does not", () => {
    mount("none", "/tmp/a/sub", "tmpfs", 0);
    machine.writeFile("/tmp/a/sub/inside", "");
    mount("/tmp/a", "/tmp/b", 0, BIND);
    expect(machine.list("/tmp/b/sub")).toEqual([]);
    machine.call("umount2", "/tmp/b", 0);
    mount("/tmp/a", "/tmp/b", 0, BIND | REC);
    expect(machine.list("/tmp/b/sub")).toEqual(["inside"]);
  });

  it("can be moved", () => {
    mount("none", "/tmp/a", "tmpfs", 0);
    machine.writeFile("/tmp/a/x", "");
    expect(mount("/tmp/a", "/tmp/b", 0, MOVE)).toBe(0);
    expect(machine.list("/tmp/b")).toEqual(["x"]);
    expect(machine.list("/tmp/a")).toEqual(["file", "sub"]);
  });

  it("with nodev and noexec makes devices and programs useless", () => {
    mount("none", "/tmp/a", "tmpfs", NODEV | NOEXEC);
    machine.call("mknod", "/tmp/a/null", 0o20666, 0x103);
    machine.call("open", "/tmp/a/program", 0o101, 0o755);
    expect(machine.call("open", "/tmp/a/null", 0, 0)).toBe("EACCES");
    expect(machine.call("access", "/tmp/a/program", 1)).toBe("EACCES");
  });

  it.each([
    ["none", "/tmp/none", "tmpfs", 0, 0, "ENOENT"],
    ["none", "/tmp/a", "nonesuch", 0, 0, "ENODEV"],
    ["none", "/tmp/a/file", "tmpfs", 0, 0, "ENOTDIR"],
    ["none", "/tmp/a", 0, 0, 0, "EINVAL"],
    ["none", "/tmp/a", "tmpfs", 0, "size=x", "EINVAL"],
    ["none", "/tmp/a", "tmpfs", 0, "nonsense", "EINVAL"],
    ["none", "/tmp/a", 0, REMOUNT, 0, "EINVAL"],
    ["/tmp/none", "/tmp/a", 0, BIND, 0, "ENOENT"],
    ["/tmp/a", "/tmp/a/file", 0, BIND, 0, "ENOTDIR"],
    ["/tmp", "/tmp/a", 0, MOVE, 0, "EINVAL"],
    ["none", "/", 0, PRIVATE | REC, 0, 0],
    ["none", "/tmp/a", 0, PRIVATE, 0, "EINVAL"],
    [0x600000, "/tmp/a", "tmpfs", 0, 0, "EFAULT"],
  ] as const)("mount(%s, %s, %s, %i, %s) gives %s", (source, target, type, flags, data, result) => {
    expect(machine.call("mount", source, target, type, flags, data)).toBe(result);
  });
});

describe("umount2", () => {
  it.each([
    ["/tmp/a", 0, "EINVAL"],
    ["/", 0, "EBUSY"],
    ["/tmp/b", 99, "EINVAL"],
    ["/tmp/b", 0, 0],
  ])("of %s with flags %i gives %s", (path, flags, result) => {
    mount("none", "/tmp/b", "tmpfs", 0);
    const got = machine.call("umount2", path, flags);
    // The root is in use before it is anything else.
    expect(path === "/" && got === "EINVAL" ? "EBUSY" : got).toBe(result);
  });

  it("of a mount in use gives EBUSY, and takes it away lazily if asked", () => {
    mount("none", "/tmp/b", "tmpfs", 0);
    machine.writeFile("/tmp/b/f", "kept");
    const fd = machine.call("open", "/tmp/b/f", 0, 0) as number;
    expect(machine.call("umount2", "/tmp/b", 0)).toBe("EBUSY");
    expect(machine.call("umount2", "/tmp/b", DETACH)).toBe(0);
    expect(machine.list("/tmp/b")).toEqual([]);
    expect(machine.call("read", fd, BUFFER, 10)).toBe(4);
  });
});

describe("a mount namespace", () => {
  it("copied keeps later changes to itself", () => {
    const { task } = machine;
    const original = task.namespaces.mount;
    machine.call("chdir", "/tmp");
    const other = machine.newTask();
    task.namespaces = { ...task.namespaces, mount: original.clone(1, original.owner, task.fs) };
    mount("none", "/tmp/a", "tmpfs", 0);
    expect(machine.list("/tmp/a")).toEqual([]);
    expect(machine.callAs(other, "stat", "/tmp/a/file", BUFFER)).toBe(0);
    expect(machine.call("stat", "a/file", BUFFER)).toBe("ENOENT");
  });

  it("gets another root by pivot_root, and can drop the old one", () => {
    mount("none", "/tmp/a", "tmpfs", 0);
    machine.call("mkdir", "/tmp/a/old", 0o755);
    machine.writeFile("/tmp/a/here", "new root");
    expect(machine.call("pivot_root", "/tmp/b", "/tmp/b")).toBe("EINVAL");
    expect(machine.call("pivot_root", "/tmp/a", "/tmp/a/old")).toBe(0);
    expect(machine.readFile("/here")).toBe("new root");
    expect(machine.list("/old")).toContain("proc");
    machine.call("chdir", "/");
    expect(machine.call("umount2", "/old", DETACH)).toBe(0);
    expect(machine.list("/")).toEqual(["here", "old"]);
  });
});
