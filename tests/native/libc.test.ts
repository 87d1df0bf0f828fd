/** Programs of several C libraries, static and dynamic, against the same programs on the host. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostRunsGuests, repository, trapgate } from "./compare.ts";

const source = join(import.meta.dirname, "libc-program.c");
const musl = join(repository, ".private/debian/trixie/usr/lib/x86_64-linux-musl");
const muslHeaders = join(repository, ".private/debian/trixie/usr/include/x86_64-linux-musl");
const compiler = process.env["CC"] ?? "gcc";
const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC0", HOME: "/root" };

/** How each kind of program is linked, and what must be there for it. */
const kinds: readonly { name: string; flags: readonly string[]; needs?: string; options: readonly string[] }[] = [
  { name: "glibc, static", flags: ["-static"], options: [] },
  { name: "glibc, static PIE", flags: ["-static-pie", "-fPIE"], options: [] },
  { name: "glibc, dynamic", flags: [], options: ["--host"] },
  {
    name: "musl, static",
    flags: [
      ..."-nostdinc -nostdlib -static -no-pie -fno-pic -fno-stack-protector -isystem".split(" "),
      ...[muslHeaders, join(musl, "crt1.o"), join(musl, "crti.o")],
    ],
    needs: join(musl, "libc.a"),
    options: [],
  },
];

function run(command: string, args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "latin1" });
  return { code: status, out: stdout, err: stderr };
}

describe.skipIf(!hostRunsGuests)("programs of every C library run as on the host", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trapgate-libc-"));
    mkdirSync(join(folder, "sub"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const { name, flags, needs, options } of kinds) {
    it.skipIf(needs !== undefined && !existsSync(needs))(name, () => {
      const program = join(folder, name.replaceAll(/\W+/g, "-"));
      const tail = needs === undefined ? [] : [needs, "-lgcc", join(musl, "crtn.o")];
      const compiled = run(
        compiler,
        ["-O1", ...flags, "-o", program, source, ...tail, ...(needs ? [] : ["-lm"])],
        folder,
      );
      expect(compiled).toEqual({ code: 0, out: "", err: "" });
      const args = ["one", "two words", "3"];
      const native = run(program, args, folder);
      expect(native.code).toBe(7);
      expect(run(process.execPath, [trapgate, "run", "--rw", ...options, program, ...args], folder)).toEqual(native);
    });
  }

  const dynamic: readonly (readonly string[])[] = [
    ["/bin/ls", "-la", "/usr/share/common-licenses"],
    ["/bin/ls", "-R", join(repository, "guest-programs")],
    ["/bin/dash", "-c", "for i in 1 2 3; do echo $i; done | sort -r; exit 3"],
    ["/bin/cat", "/etc/os-release"],
    ["/usr/bin/sort", "-n", join(repository, "LICENSE")],
    ["/usr/bin/sha256sum", join(repository, "LICENSE")],
  ];
  for (const words of dynamic) {
    it.skipIf(!existsSync(words[0]!))(`dynamic: ${words.join(" ").slice(0, 60)}`, () => {
      const native = run(words[0]!, words.slice(1), repository);
      expect(run(process.execPath, [trapgate, "run", "--host", ...words], repository)).toEqual(native);
    });
  }
});
