import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EBADF, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY } from "../../abi/errno.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from "../../abi/fcntl.ts";
import { NodeFiles } from "./host-files.ts";

const files = new NodeFiles();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trapgate-files-"));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "sub/file"), "content");
  symlinkSync("sub/file", join(folder, "link"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => `${folder}/${name}`;

describe("errors are Linux's numbers, negative", () => {
  const cases: readonly (readonly [string, () => unknown, number])[] = [
    ["lstat of nothing", () => files.lstat(at("none")), ENOENT.number],
    ["lstat below a file", () => files.lstat(at("sub/file/x")), ENOTDIR.number],
    ["a path with a NUL", () => files.lstat(at("a\0b")), EINVAL.number],
    ["readlink of a file", () => files.readlink(at("sub/file")), EINVAL.number],
    ["readdir of a file", () => files.readdir(at("sub/file")), ENOTDIR.number],
    ["open of a link", () => files.open(at("link"), O_RDONLY, 0), ELOOP.number],
    ["open of what must be new", () => files.open(at("sub/file"), O_WRONLY | O_CREAT | O_EXCL, 0o600), EEXIST.number],
    ["open of a file as folder", () => files.open(at("sub/file"), O_RDONLY | O_DIRECTORY, 0), ENOTDIR.number],
    ["open of a folder for writing", () => files.open(at("sub"), O_WRONLY, 0), EISDIR.number],
    ["rmdir of a folder in use", () => files.rmdir(at("sub")), ENOTEMPTY.number],
    ["mkdir over something", () => files.mkdir(at("sub"), 0o755), EEXIST.number],
    ["reading a handle that is none", () => files.read(9999, new Uint8Array(1), 0), EBADF.number],
    ["truncating to less than nothing", () => files.truncate(0, -1), EINVAL.number],
  ];
  it.each(cases)("%s", (_, call, errno) => expect(call()).toBe(-errno));
});

it("reads and writes at positions, straight into the bytes given", () => {
  const handle = files.open(at("new"), O_RDWR | O_CREAT | O_TRUNC, 0o644);
  expect(handle).toBeGreaterThanOrEqual(0);
  expect(files.write(handle, Uint8Array.of(1, 2, 3), 5)).toBe(3);
  const into = new Uint8Array(10).fill(9);
  expect(files.read(handle, into.subarray(1), 4)).toBe(4);
  expect([...into]).toEqual([9, 0, 1, 2, 3, 9, 9, 9, 9, 9]);
  expect(files.read(handle, into, 100)).toBe(0);
  expect(files.truncate(handle, 3)).toBe(0);
  expect(files.fstat(handle)).toMatchObject({ size: 3, nlink: 1 });
  files.close(handle);
});

it("gives new files the mode asked for, whatever the umask of this process", () => {
  files.close(files.open(at("free"), O_WRONLY | O_CREAT, 0o666));
  files.mkdir(at("open"), 0o777);
  expect(statSync(at("free")).mode & 0o777).toBe(0o666);
  expect(statSync(at("open")).mode & 0o777).toBe(0o777);
});

it("carries names that are no UTF-8", () => {
  expect(files.mkdir(at("caf\xe9"), 0o755)).toBe(0);
  expect(files.symlink("caf\xe9", at("l\xff"))).toBe(0);
  expect(files.readlink(at("l\xff"))).toBe("caf\xe9");
  const names = files.readdir(folder);
  expect(Array.isArray(names) && names.map(({ name }) => name)).toContain("caf\xe9");
  expect(files.lstat(at("caf\xe9"))).toMatchObject({ nlink: 2 });
});

it("lists a folder with types", () => {
  const entries = files.readdir(folder);
  expect(Array.isArray(entries) && entries.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: "link", type: 10 },
    { name: "sub", type: 4 },
  ]);
});

it("never follows a link in the last component", () => {
  expect(files.chmod(at("link"), 0o600)).toBeLessThan(0);
  expect(files.utimes(at("link"), 1000, 2000)).toBe(0);
  expect(files.lstat(at("link"))).toMatchObject({ mtimeMs: 2000 });
  expect(files.unlink(at("link"))).toBe(0);
  expect(readFileSync(at("sub/file"), "utf8")).toBe("content");
});
