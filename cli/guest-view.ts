/** Which files the guest sees: its root, what of the host is bound into it, and where the program is. */
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import type { Bind, RootSource } from "../machine/node/index.ts";
import { CommandError, EXIT_NOT_FOUND, UsageError } from "./usage.ts";

export interface ViewRequest {
  readonly program: string;
  readonly host: boolean;
  readonly root: string | undefined;
  /** HOST:GUEST[:rw] as given. */
  readonly binds: readonly string[];
  readonly writable: boolean;
  readonly cwd: string | undefined;
  /** The guest's PATH. */
  readonly path: string | undefined;
}

export interface GuestView {
  program: string | readonly string[];
  root: RootSource;
  binds: Bind[];
  cwd: string;
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** @throws UsageError; CommandError 127 for a program that the host does not have */
export async function guestView(command: string, request: ViewRequest): Promise<GuestView> {
  const binds = request.binds.map((text) => parseBind(command, text));
  if (request.root !== undefined) return ownRoot(command, request, request.root, binds);
  return request.host ? hostRoot(request, binds) : emptyRoot(request, binds);
}

/** `--root`: PROGRAM is a path in there, or is looked for in the guest's PATH. */
async function ownRoot(command: string, request: ViewRequest, root: string, binds: Bind[]): Promise<GuestView> {
  const { program, path } = request;
  const cwd = posix.resolve("/", request.cwd ?? "/");
  const candidates = program.includes("/")
    ? posix.resolve(cwd, program)
    : searchPath(path).map((folder) => posix.resolve(cwd, folder, program));
  return { program: candidates, root: await openRoot(command, root, request.writable), binds, cwd };
}

/** `--host`: the whole host. What the fresh /tmp, /proc and /dev would hide of the current folder is bound again. */
function hostRoot(request: ViewRequest, binds: Bind[]): GuestView {
  const here = process.cwd();
  const program = findProgram(request);
  const own: Bind[] = [];
  if (here !== "/" && (request.writable || isHidden(here))) {
    own.push({ host: here, guest: here, writable: request.writable });
  }
  if (isHidden(program) && !isInside(program, here)) own.push({ host: realpathSync(program), guest: program });
  return {
    program,
    root: { kind: "host", path: "/", writable: false },
    binds: [...own, ...binds],
    cwd: resolve(here, request.cwd ?? ""),
  };
}

/** Neither: an empty root with the program and the current folder at their own places. */
function emptyRoot(request: ViewRequest, binds: Bind[]): GuestView {
  const here = process.cwd();
  const inBind = binds.find(({ guest }) => isInside(posix.resolve(here, request.program), guest));
  const program = inBind ? posix.resolve(here, request.program) : realpathSync(findProgram(request));
  const own: Bind[] = [];
  if (here !== "/") own.push({ host: here, guest: here, writable: request.writable });
  if (!inBind && !(here !== "/" && isInside(program, here))) own.push({ host: program, guest: program });
  return { program, root: { kind: "tmpfs" }, binds: [...own, ...binds], cwd: resolve(here, request.cwd ?? "") };
}

function parseBind(command: string, text: string): Bind {
  const match = /^([^:]+):(\/[^:]*)(?::(rw|ro))?$/.exec(text);
  if (!match)
    throw new UsageError(
      `${command}: --bind must be HOST:GUEST or HOST:GUEST:rw with an absolute GUEST, not "${text}"`,
    );
  const host = resolve(match[1]!);
  if (!statSync(host, { throwIfNoEntry: false })) throw new UsageError(`${command}: --bind: the host has no ${host}`);
  return { host, guest: posix.resolve("/", match[2]!), writable: match[3] === "rw" };
}

async function openRoot(command: string, path: string, writable: boolean): Promise<RootSource> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UsageError(`${command}: --root: the host has no ${path}`);
  if (stats.isDirectory()) return { kind: "host", path: realpathSync(path), writable };
  const bytes = readFileSync(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return { kind: "tar", bytes: await gunzip(command, path, bytes) };
  if (bytes.toString("latin1", 257, 262) === "ustar") return { kind: "tar", bytes };
  throw new UsageError(
    `${command}: --root: ${path} is neither a folder nor a tar archive, plain or compressed with gzip`,
  );
}

async function gunzip(command: string, path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const { gunzipSync } = await import("node:zlib");
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new UsageError(`${command}: --root: ${path} cannot be decompressed (${(error as Error).message})`);
  }
}

/** The program's absolute path on the host, by the rules of execvp(3). */
function findProgram({ program, path }: ViewRequest): string {
  if (program.includes("/")) {
    const absolute = resolve(program);
    if (statSync(absolute, { throwIfNoEntry: false })) return absolute;
    throw new CommandError(`${program}: not found`, EXIT_NOT_FOUND);
  }
  for (const folder of searchPath(path)) {
    const candidate = resolve(folder, program);
    if (isExecutable(candidate)) return candidate;
  }
  throw new CommandError(`${program}: not found in PATH`, EXIT_NOT_FOUND);
}

function searchPath(path: string | undefined): string[] {
  return (path ?? DEFAULT_PATH).split(":").map((folder) => (folder === "" ? "." : folder));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Under one of the folders that `--host` replaces by fresh ones. */
function isHidden(path: string): boolean {
  return ["/tmp", "/proc", "/dev"].some((folder) => isInside(path, folder));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** The first bytes of a file, for messages about it; empty if it cannot be read. */
export function fileHead(path: string, size: number): Uint8Array {
  let handle = -1;
  try {
    handle = openSync(path, "r");
    const head = new Uint8Array(size);
    return head.subarray(0, readSync(handle, head, 0, size, 0));
  } catch {
    return new Uint8Array(0);
  } finally {
    if (handle >= 0) closeSync(handle);
  }
}

/** The host's file behind a path of the guest, if it is plain which one it is. */
export function hostFileOf(view: GuestView, path: string): string | undefined {
  const bind = [...view.binds].reverse().find(({ guest }) => isInside(path, guest));
  if (bind) return join(bind.host, path.slice(bind.guest.length));
  return view.root.kind === "host" ? join(view.root.path, path) : undefined;
}
