/** From the FILES of `trapgate conformance` to programs with the view that each guest has of the host. */
import { statSync } from "node:fs";
import { join, normalize, posix, resolve } from "node:path";
import { programsIn } from "../machine/node/conformance.ts";
import { COMMAND } from "./conformance-options.ts";
import { guestView, hostFileOf, type GuestView, type ViewRequest } from "./guest-view.ts";
import { UsageError } from "./usage.ts";

export interface TestProgram {
  /** As the user would name it. */
  readonly title: string;
  /** Absolute path in the guest. */
  readonly guestPath: string;
  /** Undefined where the program is in an archive. */
  readonly hostFile: string | undefined;
  readonly view: GuestView;
}

type Request = Omit<ViewRequest, "program" | "path">;

/** Each program once, in the order of FILES. @throws UsageError */
export async function findTestPrograms(files: readonly string[], request: Request): Promise<TestProgram[]> {
  const found = request.root === undefined ? await onHost(files, request) : await inRoot(files, request);
  const programs = [...new Map(found.map((program) => [program.title, program])).values()];
  if (programs.length === 0) throw new UsageError(`${COMMAND}: there is no program in ${files.join(", ")}`);
  return programs;
}

/** Without --root: files of the host, each seen by its guest at its own path. */
async function onHost(files: readonly string[], request: Request): Promise<TestProgram[]> {
  const programs: TestProgram[] = [];
  for (const title of files.flatMap((file) => expand(file, file))) {
    const view = await guestView(COMMAND, { ...request, program: resolve(title), path: undefined });
    const guestPath = typeof view.program === "string" ? view.program : view.program[0]!;
    programs.push({ title, guestPath, hostFile: hostFileOf(view, guestPath), view });
  }
  return programs;
}

/** With --root: paths in there; folders can be searched where they are the host's. */
async function inRoot(files: readonly string[], request: Request): Promise<TestProgram[]> {
  const view = await guestView(COMMAND, { ...request, program: "/", path: undefined });
  const pathOf = (name: string): string => posix.resolve("/", request.cwd ?? "", name);
  return files
    .flatMap((file) => {
      const host = hostFileOf(view, pathOf(file));
      return host === undefined ? [normalize(file)] : expand(file, host);
    })
    .map((title) => ({ title, guestPath: pathOf(title), hostFile: hostFileOf(view, pathOf(title)), view }));
}

/** A file's own name, or those of the programs in a folder. */
function expand(name: string, hostPath: string): string[] {
  const stats = statSync(hostPath, { throwIfNoEntry: false });
  if (!stats) throw new UsageError(`${COMMAND}: there is no ${name}`);
  return stats.isDirectory() ? programsIn(hostPath).map((program) => join(name, program)) : [normalize(name)];
}
