/** The rows of `make bench-cpu`: how one is run on a system, what it took, and what it computed. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { folder, measureCommand, root } from "../turns.mjs";
import { inputPath } from "./inputs.mjs";
import { kernelPath, kernels } from "./kernels.mjs";
import { environment, findProgram, programs } from "./programs.mjs";

/** @typedef {{ ns?: number, result?: string, problem?: string, late?: boolean, cpu?: number, rss?: number }} Sample */

const output = join(folder, "output");

const lastWords = (text) => text.trim().split("\n").slice(-3).join(" / ").slice(-300);

/** Runs words on a system; a sample without `ns` says why there is no time. */
function runOn(system, words, limit) {
  const { wall, code, cpu, rss, stderr } = measureCommand([...system.prefix, ...words], {
    output,
    limit,
    env: environment,
  });
  if (code === 124 && wall >= limit * 1e9) return { late: true };
  if (code !== 0) return { problem: `exit code ${code}: ${lastWords(stderr)}` };
  return { ns: wall, cpu, rss };
}

/** The kernel holds the watch; ours, which started earlier and stops later, must have seen more. */
function kernelSample(path, count) {
  return (system, limit) => {
    const sample = runOn(system, [path, String(count)], limit);
    if (sample.ns === undefined) return sample;
    const [, checksum, inside] = /^([0-9a-f]+) (\d+)\n$/.exec(readFileSync(output, "latin1")) ?? [];
    if (checksum === undefined) return { problem: "printed no checksum" };
    if (Number(inside) > sample.ns) return { problem: `its clock saw ${inside} ns, ours ${sample.ns}` };
    return { ...sample, ns: Number(inside), outside: sample.ns, result: checksum };
  };
}

function programSample({ path, command, rate }) {
  const words = [path, ...command(inputPath)];
  return (system, limit) => {
    const sample = runOn(system, words, limit);
    if (sample.ns === undefined) return sample;
    if (rate) {
      const found = rate.pattern.exec(readFileSync(output, "latin1"))?.[1];
      return found ? { ...sample, ns: (rate.amount / Number(found)) * 1e9 } : { problem: "printed no rate" };
    }
    const digest = createHash("sha256").update(readFileSync(output)).digest("hex");
    return { ...sample, result: `${statSync(output).size} bytes, ${digest.slice(0, 16)}` };
  };
}

const kernelRows = (share) =>
  kernels.map((kernel) => ({
    group: "kernels",
    name: kernel.name,
    what: kernel.what,
    isVector: kernel.vector,
    words: [kernelPath(kernel), String(Math.ceil(kernel.count / share))],
    sample: kernelSample(kernelPath(kernel), Math.ceil(kernel.count / share)),
  }));

const programRows = (wanted) =>
  programs
    .filter(wanted)
    .map(findProgram)
    .map((program) => ({
      group: "programs",
      name: program.name,
      missing: program.missing,
      lacks: program.lacks,
      ...(!program.missing && {
        words: [program.path, ...program.command(inputPath)],
        sample: programSample(program),
      }),
    }));

/** Starting and ending is all that these do, in many short runs. */
function startRows(runs) {
  const busybox = join(root, ".private/debian/trixie/usr/bin/busybox");
  const words = [busybox, "true"];
  const missing = existsSync(busybox) ? undefined : "run `make setup` first";
  return [
    { group: "start-up", name: "busybox true", words, runs, missing, sample: (...on) => runOn(on[0], words, on[1]) },
  ];
}

/** @param only a word of a row's name, or a group */
export function chooseRows({ quick, only }) {
  const wanted = ({ name, group }) => name.includes(only) || group === only;
  const rows = [
    ...startRows(quick ? 5 : 10),
    ...kernelRows(quick ? 6 : 1),
    ...programRows((program) => (!quick || program.quick) && wanted({ ...program, group: "programs" })),
  ];
  return rows.filter(wanted);
}
