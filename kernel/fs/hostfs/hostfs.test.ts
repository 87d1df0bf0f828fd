import { beforeEach, describe, expect, it } from "vitest";
import { FakeWorld } from "../../testing/fake-world.ts";
import { BUFFER, FileMachine } from "../../testing/file-machine.ts";
import { SetUpError } from "../../vfs/set-up.ts";

const [RDWR, CREAT, EXCL] = [2, 0o100, 0o200];

let world: FakeWorld;
let machine: FileMachine;

beforeEach(() => {
  world = new FakeWorld();
  world.files.put("/secret", "outside");
  world.files.put("/share/file", "contents");
  world.files.put("/share/dir/inner", "inside");
  world.files.put("/share/absolute", { link: "/secret" });
  world.files.put("/share/relative", { link: "../secret" });
  world.files.put("/share/sideways", { link: "dir/inner" });
  const binds = [
    { host: "/share", guest: "/rw", writable: true },
    { host: "/share", guest: "/ro", writable: false },
    { host: "/share/dir", guest: "/inner", writable: true },
  ];
  machine = new FileMachine({ binds }, world);
});

describe("a host folder", () => {
  it("shows its files", () => {
    expect(machine.list("/rw")).toEqual(["absolute", "dir", "file", "relative", "sideways"]);
    expect(machine.readFile("/rw/file")).toBe("contents");
    expect(machine.readFile("/rw/sideways")).toBe("inside");
  });

  it.each(["/rw/absolute", "/rw/relative", "/rw/../secret", "/rw/dir/../../secret"])(
    "does not let %s out: links and .. are the guest's",
    (path) => {
      expect(machine.readFile(path)).toBe("ENOENT");
    },
  );

  it("does not follow a link that has taken the place of a directory", () => {
    const dir = machine.call("open", "/rw/dir", 0o200000, 0) as number;
    // The host, or the guest by way of another mount, swaps the directory for a link that leads outside.
    world.files.rename("/share/dir", "/share/moved");
    world.files.put("/elsewhere/inner", "outside");
    world.files.put("/share/dir", { link: "/elsewhere" });
    expect(machine.call("openat", dir, "inner", 0, 0)).toBe("ESTALE");
    expect(machine.call("openat", dir, "new", RDWR | CREAT, 0o644)).toBe("ESTALE");
    expect(machine.call("unlinkat", dir, "inner", 0)).toBe("ESTALE");
    expect(world.files.text("/elsewhere/inner")).toBe("outside");
    expect(machine.readFile("/inner/inner")).toBe("ESTALE");
  });

  it("finds a directory again that the guest itself has moved", () => {
    const dir = machine.call("open", "/rw/dir", 0o200000, 0) as number;
    expect(machine.call("rename", "/rw/dir", "/rw/renamed")).toBe(0);
    const fd = machine.call("openat", dir, "inner", 0, 0) as number;
    expect(machine.call("read", fd, BUFFER, 100)).toBe(6);
  });

  it.each([
    ["open", ["/ro/file", RDWR, 0], "EROFS"],
    ["open", ["/ro/new", CREAT, 0o644], "EROFS"],
    ["mkdir", ["/ro/new", 0o755], "EROFS"],
    ["unlink", ["/ro/file"], "EROFS"],
    ["rename", ["/ro/file", "/ro/x"], "EROFS"],
    ["chmod", ["/ro/file", 0o600], "EROFS"],
    ["truncate", ["/ro/file", 0], "EROFS"],
    ["link", ["/ro/file", "/ro/x"], "EROFS"],
    ["symlink", ["x", "/ro/x"], "EROFS"],
    ["utimensat", [-100, "/ro/file", 0, 0], "EROFS"],
    ["access", ["/ro/file", 2], "EROFS"],
    ["access", ["/ro/file", 4], 0],
    ["mount", ["none", "/ro", 0, 0x20, 0], "EPERM"],
    ["rename", ["/rw/file", "/ro/x"], "EXDEV"],
    ["link", ["/rw/file", "/ro/x"], "EXDEV"],
  ] as const)("bound read-only: %s%j gives %s", (name, args, result) => {
    expect(machine.call(name, ...args)).toBe(result);
    expect(world.files.text("/share/file")).toBe("contents");
  });

  it("bound writable passes changes on to the host", () => {
    machine.writeFile("/rw/made", "by the guest");
    machine.call("mkdir", "/rw/newdir", 0o755);
    machine.call("rename", "/rw/made", "/rw/newdir/moved");
    machine.call("symlink", "moved", "/rw/newdir/link");
    expect(world.files.text("/share/newdir/moved")).toBe("by the guest");
    expect(machine.readFile("/rw/newdir/link")).toBe("by the guest");
    machine.call("unlink", "/rw/newdir/moved");
    expect(machine.call("rmdir", "/rw/newdir")).toBe("ENOTEMPTY");
    machine.call("unlink", "/rw/newdir/link");
    expect(machine.call("rmdir", "/rw/newdir")).toBe(0);
    expect(world.files.text("/share/newdir")).toBeUndefined();
  });

  it("gives the same file under two names one inode", () => {
    machine.call("link", "/rw/file", "/rw/other");
    const one = machine.call("open", "/rw/file", RDWR, 0) as number;
    const two = machine.call("open", "/rw/other", RDWR, 0) as number;
    const inodes = [one, two].map((fd) => machine.task.files.get(fd).inode);
    expect(inodes[0]).toBe(inodes[1]);
  });

  it("keeps an open file that is unlinked", () => {
    const fd = machine.call("open", "/rw/file", RDWR, 0) as number;
    machine.call("unlink", "/rw/file");
    machine.writeFile("/rw/file", "another");
    expect(machine.call("read", fd, BUFFER, 100)).toBe(8);
    expect(machine.text(8)).toBe("contents");
    machine.call("close", fd);
  });

  it("does not make what another has made first", () => {
    expect(machine.call("open", "/rw/file", RDWR | CREAT | EXCL, 0o644)).toBe("EEXIST");
  });

  it("keeps few host handles open, however many files are read", () => {
    for (let index = 0; index < 400; index++) world.files.put(`/share/many/${index}`, String(index));
    for (let index = 0; index < 400; index++) expect(machine.readFile(`/rw/many/${index}`)).toBe(String(index));
    expect(world.files.openHandles).toBeLessThanOrEqual(256);
  });
});

describe("pages of a host file", () => {
  const storeOf = (fd: number) => machine.task.files.get(fd).mappedFile();

  it("are read once and show what is written through descriptors", () => {
    const fd = machine.call("open", "/rw/file", RDWR, 0) as number;
    const { store } = storeOf(fd);
    const page = store.page(0);
    expect(String.fromCharCode(...store.frames.bytes(page).subarray(0, 8))).toBe("contents");
    machine.call("pwrite64", fd, "C", 1, 0);
    expect(store.frames.bytes(page)[0]).toBe(67);
    expect(machine.readFile("/rw/file")).toBe("Contents");
    expect(world.files.text("/share/file")).toBe("Contents");
  });

  it("changed through a shared mapping are seen by read at once and by the host at the end", () => {
    const fd = machine.call("open", "/rw/file", RDWR, 0) as number;
    const mapped = storeOf(fd);
    mapped.retain();
    mapped.store.frames.bytes(mapped.store.page(0))[0] = 67;
    mapped.store.markDirty(0);
    expect(machine.readFile("/rw/file")).toBe("Contents");
    expect(world.files.text("/share/file")).toBe("contents");
    mapped.release();
    expect(world.files.text("/share/file")).toBe("Contents");
  });

  it("are forgotten when the host has changed the file", () => {
    const fd = machine.call("open", "/rw/file", 0, 0) as number;
    storeOf(fd).store.page(0);
    world.files.put("/share/file2", "x");
    const handle = world.files.open("/share/file", RDWR, 0);
    world.files.write(handle, new TextEncoder().encode("changed!and longer"), 0);
    expect(machine.readFile("/rw/file")).toBe("changed!and longer");
  });

  it("are given back when frames run short", () => {
    world.files.put("/share/large", "x".repeat(40_960));
    const fd = machine.call("open", "/rw/large", 0, 0) as number;
    const { store } = storeOf(fd);
    store.page(0);
    expect(store.pages.size).toBe(10);
    expect(store.reclaim(100)).toBe(10);
    expect(machine.readFile("/rw/large")).toHaveLength(40_960);
  });
});

describe("setting up", () => {
  it.each([
    [{ binds: [{ host: "/none", guest: "/x", writable: false }] }, "/none"],
    [{ cwd: "/none" }, "/none"],
    [{ root: { kind: "host", path: "/share", writable: false } as const }, "/dev"],
    [{ binds: [{ host: "/secret", guest: "/tmp", writable: false }] }, "/tmp"],
  ])("%j fails and names %s", (options, name) => {
    expect(() => new FileMachine(options, world)).toThrow(SetUpError);
    expect(() => new FileMachine(options, world)).toThrow(name);
  });

  it("follows a link that was given as the folder itself", () => {
    world.files.put("/to-share", { link: "share" });
    const binds = [{ host: "/to-share", guest: "/x", writable: false }];
    expect(new FileMachine({ binds }, world).readFile("/x/file")).toBe("contents");
  });

  it("binds a single file onto a path that is made for it", () => {
    const binds = [{ host: "/secret", guest: "/etc/secret", writable: false }];
    expect(new FileMachine({ binds }, world).readFile("/etc/secret")).toBe("outside");
  });
});
