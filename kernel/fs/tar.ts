/**
 * Unpacks a tar archive (ustar, pax, GNU) into a tmpfs. Contents stay in the archive until they are needed. Archives
 * are untrusted: sizes and offsets are checked, and names cannot leave the root.
 */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "../../abi/stat.ts";
import { encodeDevice } from "../vfs/device-number.ts";
import type { Inode, NewNode } from "../vfs/inode.ts";
import { fromBytes } from "../vfs/byte-string.ts";
import type { TmpFs } from "./tmpfs.ts";
import { TmpfsDirectory } from "./tmpfs-directory.ts";

const BLOCK = 512;
const MAX_DEPTH = 256;

export class TarError extends Error {}

interface Member {
  type: string;
  name: string;
  link: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  device: number;
  data: Uint8Array;
}

/** Adds everything in the archive to the file system, replacing what has the same name. @throws TarError */
export function unpackTar(archive: Uint8Array, fs: TmpFs): void {
  const directoryTimes: [Inode, number][] = [];
  for (const member of members(archive)) {
    const parts = safeParts(member.name);
    const inode = add(fs, parts, member);
    if (!inode) continue;
    inode.mtime = { seconds: member.mtime, nanoseconds: 0 };
    if (inode.isDirectory) directoryTimes.push([inode, member.mtime]);
  }
  // Filling a directory has changed its time.
  for (const [inode, seconds] of directoryTimes) inode.mtime = { seconds, nanoseconds: 0 };
}

function* members(archive: Uint8Array): Generator<Member> {
  let pax: Map<string, string> = new Map();
  const globals = new Map<string, string>();
  let longName: string | null = null;
  let longLink: string | null = null;
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    checkSum(header, at);
    const type = String.fromCharCode(header[156]!);
    const text = (start: number, length: number): string => cString(header.subarray(start, start + length));
    const fields = new Map([...globals, ...pax]);
    const size = fields.has("size") ? Number(fields.get("size")) : number(header, 124, 12);
    const start = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || size > archive.length - start) {
      throw new TarError(`member at byte ${at} claims ${size} bytes, the archive ends before that`);
    }
    const data = archive.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x") {
      pax = paxRecords(data);
    } else if (type === "g") {
      for (const [key, value] of paxRecords(data)) globals.set(key, value);
    } else if (type === "L") {
      longName = cString(data);
    } else if (type === "K") {
      longLink = cString(data);
    } else {
      const ustar = text(257, 5) === "ustar";
      const prefix = ustar && header[263] !== 0x20 ? text(345, 155) : "";
      const short = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
      yield {
        type,
        name: fields.get("path") ?? longName ?? short,
        link: fields.get("linkpath") ?? longLink ?? text(157, 100),
        mode: number(header, 100, 8) & 0o7777,
        uid: Number(fields.get("uid") ?? number(header, 108, 8)),
        gid: Number(fields.get("gid") ?? number(header, 116, 8)),
        size,
        mtime: Math.floor(Number(fields.get("mtime") ?? number(header, 136, 12))) || 0,
        device: encodeDevice(number(header, 329, 8), number(header, 337, 8)),
        data,
      };
      pax = new Map();
      longName = longLink = null;
    }
  }
}

function add(fs: TmpFs, parts: string[], member: Member): Inode | null {
  const { uid, gid, mode } = member;
  const owner = { uid, gid };
  const name = parts.at(-1);
  if (name === undefined) {
    if (member.type === "5") fs.root.setAttributes({ mode, ...owner });
    return fs.root;
  }
  const parent = directoryAt(fs, parts.slice(0, -1));
  const old = parent.lookup(name);
  if (member.type === "5" && old?.isDirectory) {
    old.setAttributes({ mode, ...owner });
    return old;
  }
  if (member.type === "1") {
    const targetParts = safeParts(member.link);
    const target = find(fs, targetParts);
    if (!target || target.isDirectory)
      throw new TarError(`${member.name}: hard link to ${member.link}, which is not there`);
    if (target === old) return target;
    remove(parent, name, old);
    parent.link(name, target);
    return null;
  }
  const node = nodeFor(member);
  if (!node) return null;
  remove(parent, name, old);
  const isFile = (node.mode & 0o170000) === S_IFREG;
  return parent.create(name, { ...node, ...owner }, isFile ? { bytes: member.data } : undefined);
}

function nodeFor({ type, mode, link, device }: Member): NewNode | null {
  const owner = { uid: 0, gid: 0 };
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return { mode: S_IFREG | mode, ...owner };
    case "2":
      return { mode: S_IFLNK | 0o777, target: link, ...owner };
    case "3":
      return { mode: S_IFCHR | mode, rdev: device, ...owner };
    case "4":
      return { mode: S_IFBLK | mode, rdev: device, ...owner };
    case "5":
      return { mode: S_IFDIR | mode, ...owner };
    case "6":
      return { mode: S_IFIFO | mode, ...owner };
    default:
      return null;
  }
}

function remove(parent: TmpfsDirectory, name: string, old: Inode | null): void {
  if (!old) return;
  if (old.isDirectory) parent.rmdir(name, old);
  else parent.unlink(name, old);
  old.unlinked();
}

/** The directory for a member, made where the archive has left it out. */
function directoryAt(fs: TmpFs, parts: readonly string[]): TmpfsDirectory {
  let at: TmpfsDirectory = fs.root;
  for (const part of parts) {
    const next = at.lookup(part) ?? at.create(part, { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
    if (!(next instanceof TmpfsDirectory)) throw new TarError(`${parts.join("/")}: ${part} is not a directory`);
    at = next;
  }
  return at;
}

function find(fs: TmpFs, parts: readonly string[]): Inode | null {
  let at: Inode | null = fs.root;
  for (const part of parts) at = at?.isDirectory ? at.lookup(part, null) : null;
  return at;
}

/** Components of a member name; `..` is refused. */
function safeParts(name: string): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new TarError(`${name}: .. in a member name`);
  if (parts.length > MAX_DEPTH || parts.some((part) => part.length > 255)) throw new TarError(`${name}: too long`);
  return parts;
}

function paxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? NaN : Number(fromBytes(data.subarray(at, space)));
    if (!Number.isInteger(length) || length < space - at + 3 || at + length > data.length) {
      throw new TarError("malformed pax header");
    }
    const record = fromBytes(data.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function checkSum(header: Uint8Array, at: number): void {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 0x20 : header[index]!;
  if (sum !== number(header, 148, 8)) throw new TarError(`no tar header at byte ${at}: the checksum is wrong`);
}

/** An octal field, or GNU's binary one. */
function number(header: Uint8Array, start: number, length: number): number {
  const field = header.subarray(start, start + length);
  if ((field[0]! & 0x80) !== 0) {
    let value = field[0]! & 0x7f;
    for (let index = 1; index < length; index++) value = value * 256 + field[index]!;
    return value;
  }
  const digits = cString(field).trim();
  return digits === "" ? 0 : parseInt(digits, 8);
}

function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return fromBytes(end < 0 ? bytes : bytes.subarray(0, end));
}
