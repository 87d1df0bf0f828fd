#!/usr/bin/env node
/**
 * `make run`: what the machine is for, on real input. First a program that chooses its children's pids in nested
 * namespaces, each call decoded above the line it leads to; then an unmodified busybox on a file of this repository,
 * compared with the same busybox run by the host itself. Exit code 1 if anything is not as it must be.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const trapgate = join(root, "bin/trapgate");
const input = "LICENSE";

const pipeline = `
echo "the ten words used most in ${input}:"
tr -cs A-Za-z '\\n' < ${input} | tr A-Z a-z | sort | uniq -c | sort -k1,1nr -k2 | awk 'NR <= 10 { printf "  %-10s %5d\\n", $2, $1 }'
echo "lines, words and bytes, counted by awk:"
awk '{ words += NF; bytes += length($0) + 1 } END { print "  " NR, words, bytes }' ${input}
echo "checksum before and after gzip and back:"
md5sum < ${input}
gzip -c < ${input} | gunzip | md5sum
echo "compressed to $(gzip -9 -c ${input} | wc -c) bytes"
`;

function heading(text) {
  console.log(`\n${text}\n${"=".repeat(text.length)}\n`);
}

/** The command as a person would type it, in the project's folder. */
function show(words) {
  console.log(`$ ${words.map((word) => (/[\s|'"]/.test(word) ? `'${word.trim()}'` : word)).join(" ")}\n`);
}

function findBusybox() {
  const own = join(root, ".private/debian/trixie");
  const candidates = ["usr/bin/busybox", "bin/busybox"].map((path) => join(own, path));
  return candidates.find((path) => existsSync(path));
}

function showPids() {
  heading("1. clone2(): pids chosen in nested namespaces, each call above the row it leads to");
  const words = ["trace", "-e", "trace=clone2", "build/guests/clone2"];
  show(["bin/trapgate", ...words]);
  // One pipe for both streams, so that they stay in order.
  const result = spawnSync("/bin/sh", ["-c", `exec "$0" "$@" 2>&1`, trapgate, ...words], {
    cwd: root,
    encoding: "utf8",
  });
  process.stdout.write(result.stdout);
  console.log(`\nexit code ${result.status}`);
  return result.status === 0;
}

function showBusybox() {
  heading(`2. busybox, unmodified from Debian, on ${input}`);
  const busybox = findBusybox();
  if (!busybox) {
    console.log("busybox is missing: run `make setup`");
    return false;
  }
  const words = ["run", relative(root, busybox), "sh", "-c", pipeline];
  show(["bin/trapgate", ...words]);
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C" };
  const ours = spawnSync(trapgate, words, { cwd: root, env: { ...env, PATH: process.env.PATH } });
  const native = spawnSync(busybox, words.slice(2), { cwd: root, env });
  process.stdout.write(ours.stdout);
  process.stderr.write(ours.stderr);
  if (native.error || native.status === null) {
    console.log("\nThis host cannot run busybox itself (it is no x86-64 Linux), so there is nothing to compare with.");
    return ours.status === 0;
  }
  const same = ours.status === native.status && ours.stdout.equals(native.stdout) && ours.stderr.equals(native.stderr);
  console.log(
    same
      ? `\nThe same busybox run by the host itself gives the same ${native.stdout.length} bytes and exit code ${native.status}.`
      : `\nDIFFERENT from the same busybox run by the host itself (exit code ${ours.status}, natively ${native.status}):\n${native.stdout}`,
  );
  return same;
}

const results = [showPids(), showBusybox()];
const good = results.every(Boolean);
console.log(good ? "\nAll as it should be." : "\nNot all as it should be; see above.");
process.exitCode = good ? 0 : 1;
