/** The programs that are run in lockstep, and what each needs. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busybox, repository } from "../support/run-guest.ts";

export interface LockstepProgram {
  readonly name: string;
  /** Words behind `trapgate run --engine=lockstep`. */
  readonly words: readonly string[];
  /** Part of `--short` and of the test suite. */
  readonly short?: true;
  /** The program's own exit code when all is well. Default: 0. */
  readonly exit?: number;
  /** Why it cannot be run here, empty if it can. */
  readonly missing: string;
}

const scratch = mkdtempSync(join(tmpdir(), "trapgate-lockstep-"));

function scratchFile(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}

const lines = Array.from({ length: 4000 }, (_, i) => `line ${(i * 7919) % 4001} of a text with words ${i % 17}`);
const text = scratchFile("text", `${lines.join("\n")}\n`);
const hello = scratchFile("hello.c", '#include <stdio.h>\nint main(void) { printf("hello %d\\n", 42); return 0; }\n');
const assembly = scratchFile("hello.s", ".globl _start\n_start: mov $60, %eax\nxor %edi, %edi\nsyscall\n");
const object = join(scratch, "hello.o");
spawnSync("as", ["-o", object, assembly]);

/** Where programs of the host come from; lazy binding would go through FXSAVE at every first call. */
const HOST = [
  "--host",
  "--bind",
  `${scratch}:${scratch}:rw`,
  "-E",
  "LD_BIND_NOW=1",
  "-E",
  "BASH_ENV=",
  "-E",
  "HOME=/tmp",
];

const ofBusybox = (name: string, words: readonly string[], short?: true): LockstepProgram => ({
  name: `busybox ${name}`,
  words: ["--bind", `${busybox}:/bin/busybox`, "--bind", `${text}:/text`, "/bin/busybox", ...words],
  missing: busybox === undefined ? "make setup has not unpacked busybox" : "",
  ...(short && { short }),
});

const ofHost = (name: string, program: string | undefined, words: readonly string[]): LockstepProgram => ({
  name,
  words: [...HOST, program ?? name, ...words],
  missing: program !== undefined && existsSync(program) ? "" : `there is no ${program ?? name}`,
});

const ofGuest = (name: string): LockstepProgram => ({
  name,
  words: [join(repository, "build/guests", name)],
  missing: existsSync(join(repository, "build/guests", name)) ? "" : "make guests has not built it",
  short: true,
});

function compilerPart(name: string): string | undefined {
  const path = spawnSync("gcc", [`-print-prog-name=${name}`], { encoding: "utf8" }).stdout?.trim();
  if (path === undefined || path.startsWith("/")) return path;
  return [`/usr/bin/${path}`].find((candidate) => existsSync(candidate));
}

/** A Go program, where Debian's compiler has been unpacked (tests/threads/languages.ts does that). */
function goProgram(): LockstepProgram {
  const go = ["bookworm/usr/lib/go-1.19", "trixie/usr/lib/go-1.24"]
    .map((path) => join(repository, ".private/debian", path, "bin/go"))
    .find((path) => existsSync(path));
  const product = join(scratch, "go-program");
  let missing = "Debian's Go is not unpacked: run the tests in tests/threads once";
  if (go) {
    const source = scratchFile(
      "main.go",
      `package main
import ("fmt"; "sort"; "sync")
func main() {
	results := make(chan int, 8)
	var group sync.WaitGroup
	for n := 0; n < 8; n++ {
		group.Add(1)
		go func(n int) { defer group.Done(); sum := 0; for i := 0; i < 200000; i++ { sum += i * n % 7 }; results <- sum }(n)
	}
	group.Wait()
	close(results)
	all := []int{}
	for sum := range results { all = append(all, sum) }
	sort.Ints(all)
	fmt.Println(all, map[string]float64{"pi": 3.14159})
}
`,
    );
    const env = { ...process.env, HOME: scratch, GOCACHE: join(scratch, "cache"), GOFLAGS: "-p=1", CGO_ENABLED: "0" };
    const built = spawnSync(go, ["build", "-o", product, source], { env, encoding: "utf8" });
    missing = built.status === 0 ? "" : `go build: ${built.stderr.trim().split("\n").at(-1)}`;
  }
  return { name: "go", words: [...HOST, product], missing };
}

const SHELL = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i";
const BASH = "for i in {1..3000}; do s=$((s+i)); a[$i]=$s; done; echo ${#a[@]} $s; echo $(ls / | sort -r | head -3)";
const PERL = `my %h; for (1..60000) { $h{$_ % 97} .= "x" } my @s = sort { $a <=> $b } map { ($_*7919) % 1000 } 1..2000;
  (my $t = join ",", @s) =~ s/(\\d)(\\d)/$2$1/g; printf "%d %.10f %s\\n", length $h{3}, sqrt(2) * exp(1), substr $t, 0, 20`;
const PYTHON = `import json, math, re
print(sum(i * i for i in range(100000)), 1 / 3, json.dumps({"a": [1, 2.5, None]}), math.sin(1))
print(len(re.sub(r"(\\w+) (\\w+)", r"\\2 \\1", "alpha beta " * 2000)), pow(3, 5000, 10**50), sorted(str(i) for i in range(3000))[7])`;
const SQL = `create table t(a, b, c); with recursive n(x) as (select 1 union all select x + 1 from n where x < 8000)
  insert into t select x, x * x % 97, 'text ' || x from n; create index i on t(b);
  select count(*), sum(a * b), avg(b), max(c) from t; select b, count(*) from t group by b order by 2 desc, 1 limit 3;`;

/** All of them; what is missing says so. */
export function lockstepPrograms(): LockstepProgram[] {
  return [
    ...["hello", "clone2", "fork-tree", "pipes", "signals", "threads-by-clone", "faults"].map(ofGuest),
    ofBusybox("true", ["true"], true),
    ofBusybox("sh", ["sh", "-c", SHELL.replace("20000", "300")], true),
    ofBusybox("awk", ["awk", 'BEGIN{for(i=0;i<300;i++)s+=i*1.5/7;printf("%.10g\\n",s)}'], true),
    ofBusybox("sh, longer", ["sh", "-c", SHELL]),
    ofBusybox("awk, longer", ["awk", "{n[$2%10]+=length($0)*1.5} END{for(k in n)print k,n[k]}", "/text"]),
    ofBusybox("sort", ["sort", "-k2n", "/text"]),
    ofBusybox("sed", ["sed", "s/\\([a-z]*\\) \\([a-z]*\\)/\\2 \\1/g", "/text"]),
    ofBusybox("grep", ["grep", "-c", "[13]\\{2\\}.*of", "/text"]),
    ...["md5sum", "sha1sum", "sha256sum", "sha512sum", "sha3sum", "wc", "od", "rev", "base64"].map((name) =>
      ofBusybox(name, [name, "/bin/busybox"]),
    ),
    ...["gzip", "bzip2"].map((name) => ofBusybox(name, [name, "-c", "/bin/busybox"])),
    ofBusybox("dc", ["dc", "-e", "2 900 ^ 3 500 ^ + p"]),
    ofBusybox("ls", ["ls", "-lR", "/"]),
    ofHost("bash", "/bin/bash", ["-c", BASH]),
    ofHost("perl", "/usr/bin/perl", ["-e", PERL]),
    ofHost("python3", "/usr/bin/python3", ["-c", PYTHON]),
    ofHost("sqlite3", "/usr/bin/sqlite3", [":memory:", SQL]),
    ofHost("cc1", compilerPart("cc1"), ["-quiet", "-O2", "-imultiarch", "x86_64-linux-gnu", hello, "-o", "-"]),
    ofHost("as", compilerPart("as"), ["-o", join(scratch, "out.o"), assembly]),
    ofHost("ld", compilerPart("ld"), ["-o", join(scratch, "out"), object]),
    ofHost("gcc", "/usr/bin/gcc", ["-O1", "-o", join(scratch, "hello"), hello]),
    goProgram(),
  ];
}
