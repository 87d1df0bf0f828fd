/** The programs of a soak: shell commands whose output is the same wherever they run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busybox } from "../support/run-guest.ts";

export interface SoakJob {
  readonly name: string;
  /** Files without which it is left out. */
  readonly needs: readonly string[];
  /** For bash, in an empty folder. */
  readonly command: string;
}

const BUSYBOX = "/tmp/soak/busybox";

const LOOP = `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); s=$((s+i*i%7)); done; echo $s; for f in a b c; do echo $f; done | tr a-c x-z`;

const PYTHON = `import json, re
words = {}
for i in range(20000):
    key = "w%d" % (i * 7919 % 97)
    words[key] = words.get(key, 0) + i
print(json.dumps(words, sort_keys=True)[:60], sum(words.values()), 1 / 3, 2 ** 200)
print(len(re.sub(r"(\\w+) (\\w+)", r"\\2 \\1", "alpha beta " * 300)))
try: eval("1 +")
except SyntaxError as error: print(type(error).__name__)`;

const PERL = `my %h; $h{$_ % 97} .= chr(65 + $_ % 26) for 1..8000; my @s = sort { $a <=> $b } map { ($_ * 7919) % 1000 } 1..800;
(my $t = join ",", @s) =~ s/(\\d)(\\d)/$2$1/g; printf "%d %.10f %s\\n", length $h{3}, sqrt(2) * exp(1), substr $t, 0, 40`;

const C = `#include <math.h>
#include <stdio.h>
#include <string.h>
static unsigned hash(const char *s) { unsigned h = 5381; while (*s) h = h * 33 ^ (unsigned char)*s++; return h; }
int main(int argc, char **argv) {
  double sum = 0; char line[64]; unsigned all = 0;
  for (int i = 1; i < 20000; i++) { sum += 1.0 / i / i; snprintf(line, sizeof line, "%d-%x", i, i * 7); all += hash(line); }
  printf("%.12f %u %zu\\n", sum, all, strlen(line)); return 0; }`;

const SQL = `create table t(a, b, c); with recursive n(x) as (select 1 union all select x + 1 from n where x < 2000)
insert into t select x, x * x % 97, 'text ' || x from n; create index i on t(b);
select count(*), sum(a * b), avg(b), max(c) from t; select b, count(*) from t group by b order by 2 desc, 1 limit 3;`;

const TEXT = `seq 1 4000 | sed 's/\\(.\\)\\(.*\\)/line \\2 of \\1/'`;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const SOAK_JOBS: readonly SoakJob[] = [
  {
    name: "busybox",
    needs: [BUSYBOX],
    command: `${BUSYBOX} sh -c ${quote(LOOP)}; ${BUSYBOX} seq 500 | ${BUSYBOX} md5sum`,
  },
  { name: "sort", needs: ["/usr/bin/sort"], command: `${TEXT} | sort | sort -n -k2 | uniq | cksum` },
  {
    name: "gzip",
    needs: ["/usr/bin/gzip"],
    command: `${TEXT} > t; gzip -9 < t > t.gz; gzip -d < t.gz | cmp - t && cksum t`,
  },
  { name: "perl", needs: ["/usr/bin/perl"], command: `perl -e ${quote(PERL)}` },
  {
    name: "sqlite",
    needs: ["/usr/bin/sqlite3"],
    command: `sqlite3 f.db ${quote(SQL)}; sqlite3 f.db 'pragma integrity_check'`,
  },
  {
    name: "bash",
    needs: [],
    command: `f() { [ $1 -le 1 ] && echo 1 && return; echo $(( $1 * $(f $(( $1 - 1 ))) )); }; f 8; kill -SEGV $BASHPID`,
  },
  { name: "python", needs: ["/usr/bin/python3"], command: `/usr/bin/python3 -c ${quote(PYTHON)}` },
  {
    name: "gcc",
    needs: ["/usr/bin/gcc"],
    command: `printf '%s\\n' ${quote(C)} > p.c; gcc -O1 -o p p.c -lm && ./p`,
  },
];

/** The host's file behind a file that the guest sees. */
export const hostPath = (path: string): string => (path === BUSYBOX ? (busybox ?? "/nowhere") : path);

/** Why a job cannot be run here; empty if it can. */
export const missing = ({ needs }: SoakJob): string => needs.filter((path) => !existsSync(hostPath(path))).join(", ");

/** What a job prints on this computer's own Linux. */
export function expectedOutput({ command }: SoakJob): string {
  const folder = mkdtempSync(join(tmpdir(), "trapgate-soak-"));
  try {
    const script = join(folder, "job.sh");
    writeFileSync(script, command.replaceAll(BUSYBOX, hostPath(BUSYBOX)));
    const cwd = mkdtempSync(join(folder, "empty-"));
    const { stdout } = spawnSync("/bin/bash", [script], { cwd, env: JOB_ENVIRONMENT, encoding: "latin1" });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const JOB_ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C", HOME: "/tmp", TMPDIR: "/tmp" };

/** The init of the machine: all jobs, for ever. Its lines begin with @. */
export const INIT = `while :; do
  for job in /tmp/soak/jobs/*; do
    rm -rf /tmp/job; mkdir /tmp/job; cd /tmp/job
    printf '@begin %s\\n' "\${job##*/}"
    /bin/bash "$job" 2> /tmp/errors
    printf '@end %s\\n' $?
    [ -s /tmp/errors ] && head -c 300 /tmp/errors >&2
  done
done`;
