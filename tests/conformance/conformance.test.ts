/** Every case of every conformance program, as known-failures.txt says. */
import { afterAll, describe, expect, it } from "vitest";
import { compareWithKnown } from "./known-failures.ts";
import { findPrograms, LISTS, readKnownFailures, runProgram } from "./run-conformance.ts";

const known = readKnownFailures();
const programs = findPrograms();
const seen = new Map<string, string>();

describe("conformance programs", () => {
  it("are built", () => expect(programs.length).toBeGreaterThan(0));

  it.each(programs)("$title passes but for the known failures", async (program) => {
    const { cases, troubles } = await runProgram(program);
    for (const { id } of cases) seen.set(`${program.title}/${id}`, id);
    expect(troubles).toEqual([]);
    const outcomes = new Map(cases.map(({ id, outcome }) => [`${program.title}/${id}`, outcome === "passed"]));
    const details = cases.map(({ id, sentence, details: text }) => `${program.title}/${id}: ${sentence}\n${text}`);
    const { failures, passes } = compareWithKnown(outcomes, known);
    const why = details.filter((line) => failures.some((name) => line.startsWith(`${name}:`))).join("\n");
    expect(failures, why).toEqual([]);
    expect(passes, "listed as known failures, and pass").toEqual([]);
  });
});

describe("the lists", () => {
  afterAll(() => seen.clear());

  it.each(LISTS)("$list has its $total cases, each in one program", ({ list, topic, total }) => {
    const ids = [...seen].flatMap(([name, id]) =>
      name.startsWith(`${topic}/`) && id.startsWith(`${list}.`) ? [id] : [],
    );
    expect(new Set(ids).size).toBe(total);
    expect(ids).toHaveLength(total);
  });

  it("has no known failure that no program has", () => {
    expect([...known.keys()].filter((name) => !seen.has(name))).toEqual([]);
  });
});
