import { beforeEach, describe, expect, it } from "vitest";
import { BAD_ADDRESS, BUFFER, FileMachine } from "../testing/file-machine.ts";

let machine: FileMachine;

beforeEach(() => {
  machine = new FileMachine();
  machine.call("mkdir", "/tmp/d", 0o755);
  machine.writeFile("/tmp/d/file", "contents");
  machine.call("symlink", "file", "/tmp/d/link");
  machine.call("symlink", "/tmp/d", "/tmp/dirlink");
  machine.call("symlink", "loop", "/tmp/loop");
  machine.call("symlink", "nowhere", "/tmp/dangling");
});

const stat = (path: string) => machine.call("stat", path, BUFFER);

describe("a path name", () => {
  it.each([
    ["/tmp/d/file", 0],
    ["//tmp///d//file", 0],
    ["/tmp/./d/../d/file", 0],
    ["/../../tmp/d", 0],
    ["/tmp/d/link", 0],
    ["/tmp/dirlink/link", 0],
    ["/tmp/dirlink/", 0],
    ["/tmp/d/.", 0],
    ["", "ENOENT"],
    ["/tmp/none", "ENOENT"],
    ["/tmp/none/file", "ENOENT"],
    ["/tmp/dangling", "ENOENT"],
    ["/tmp/d/file/", "ENOTDIR"],
    ["/tmp/d/file/x", "ENOTDIR"],
    ["/tmp/d/file/.", "ENOTDIR"],
    ["/tmp/d/link/", "ENOTDIR"],
    ["/tmp/loop", "ELOOP"],
    ["/tmp/loop/x", "ELOOP"],
    [`/tmp/${"n".repeat(255)}`, "ENOENT"],
    [`/tmp/${"n".repeat(256)}`, "ENAMETOOLONG"],
    [`/${"a/".repeat(2047)}`, "ENOENT"],
    [`/${"a/".repeat(2048)}`, "ENAMETOOLONG"],
  ])("%j gives %s", (path, result) => {
    expect(stat(path)).toBe(result);
  });

  it("at a bad address gives EFAULT", () => {
    expect(machine.call("stat", BAD_ADDRESS, BUFFER)).toBe("EFAULT");
  });

  it("may lead through 40 links but not through 41", () => {
    machine.call("symlink", "/tmp/d", "/tmp/l0");
    for (let index = 1; index <= 40; index++) machine.call("symlink", `/tmp/l${index - 1}`, `/tmp/l${index}`);
    expect(stat("/tmp/l39")).toBe(0);
    expect(stat("/tmp/l40")).toBe("ELOOP");
  });

  it("relative to a descriptor starts in its directory", () => {
    const dir = machine.call("open", "/tmp/d", 0o200000, 0) as number;
    const file = machine.call("open", "/tmp/d/file", 0, 0) as number;
    expect(machine.call("newfstatat", dir, "file", BUFFER, 0)).toBe(0);
    expect(machine.call("newfstatat", file, "x", BUFFER, 0)).toBe("ENOTDIR");
    expect(machine.call("newfstatat", 77, "x", BUFFER, 0)).toBe("EBADF");
    expect(machine.call("newfstatat", 77, "/tmp", BUFFER, 0)).toBe(0);
    expect(machine.call("newfstatat", file, "", BUFFER, 0x1000)).toBe(0);
    expect(machine.call("newfstatat", file, "", BUFFER, 0)).toBe("ENOENT");
  });

  it("needs search permission on every directory", () => {
    machine.call("chmod", "/tmp/d", 0o600);
    const { task } = machine;
    task.creds = { ...task.creds, fsuid: 1000, effective: 0n };
    expect(stat("/tmp/d/file")).toBe("EACCES");
    expect(stat("/tmp/d")).toBe(0);
    task.creds = { ...task.creds, effective: 1n << 2n };
    expect(stat("/tmp/d/file")).toBe(0);
  });

  it("cannot leave a changed root with ..", () => {
    machine.call("mkdir", "/tmp/d/inner", 0o755);
    expect(machine.call("chroot", "/tmp/d")).toBe(0);
    expect(machine.call("chdir", "/")).toBe(0);
    expect(stat("../../../file")).toBe(0);
    expect(stat("/inner/../../file")).toBe(0);
    expect(stat("/tmp")).toBe("ENOENT");
  });
});

describe("openat2 restrictions", () => {
  const [NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT] = [1, 2, 4, 8, 16];
  const openat2 = (path: string, resolve: number) => {
    const how = new Uint8Array(24);
    how[16] = resolve;
    const dir = machine.call("open", "/tmp", 0o200000, 0) as number;
    const result = machine.call("openat2", dir, path, how, 24);
    return typeof result === "number" ? "opened" : result;
  };

  it.each([
    ["d/file", BENEATH, "opened"],
    ["d/../d/file", BENEATH, "opened"],
    ["../tmp/d/file", BENEATH, "EXDEV"],
    ["/tmp/d/file", BENEATH, "EXDEV"],
    ["dirlink/file", BENEATH, "EXDEV"],
    ["d/link", BENEATH, "opened"],
    ["/d/file", IN_ROOT, "opened"],
    ["../../d/file", IN_ROOT, "opened"],
    ["d/link", NO_SYMLINKS, "ELOOP"],
    ["../proc/self/cwd/tmp", NO_MAGICLINKS, "ELOOP"],
    ["../proc/self/exe", NO_MAGICLINKS, "ENOENT"],
    ["../proc/version", NO_XDEV, "EXDEV"],
    ["d/file", NO_XDEV, "opened"],
    ["d/file", 64, "EINVAL"],
  ])("%j with %i gives %s", (path, resolve, result) => {
    expect(openat2(path, resolve)).toBe(result);
  });
});
