import { describe, expect, test } from "vitest";
import { syscallByName, syscalls } from "../../abi/syscalls.ts";
import { parseTraceFilter } from "./filter.ts";

/** The names an expression lets through. */
function traced(expression: string): string[] {
  const filter = parseTraceFilter(expression);
  return syscalls.filter(({ number }) => filter(number)).map(({ name }) => name);
}

describe("-e trace=", () => {
  test("takes names with and without the word trace", () => {
    expect(traced("trace=read,write")).toEqual(["read", "write"]);
    expect(traced("clone2")).toEqual(["clone2"]);
    expect(traced("0,548")).toEqual(["read", "clone2"]);
  });

  test("all and none are everything and nothing", () => {
    expect(traced("all")).toHaveLength(syscalls.length);
    expect(traced("none")).toEqual([]);
    expect(traced("!all")).toEqual([]);
  });

  test("a leading ! traces everything else", () => {
    expect(traced("!read,%file")).not.toContain("open");
    expect(traced("!read")).toHaveLength(syscalls.length - 1);
  });

  test("classes are those of the table", () => {
    expect(traced("%process")).toEqual(expect.arrayContaining(["clone", "clone2", "clone3", "wait4", "execve"]));
    expect(traced("%signal")).toContain("rt_sigaction");
    expect(traced("%net")).toEqual(traced("%network"));
  });

  test("a regular expression stands between slashes", () => {
    expect(traced("/^clone/")).toEqual(["clone", "clone3", "clone2"]);
  });

  test("? lets an unknown name pass", () => {
    expect(traced("?no_such_call,read")).toEqual(["read"]);
  });

  test("a number without a row can be traced too", () => {
    expect(parseTraceFilter("all")(9999)).toBe(true);
    expect(parseTraceFilter("read")(9999)).toBe(false);
    expect(syscallByName.get("read")?.number).toBe(0);
  });

  test.each([
    ["opena", 'unknown system call "opena"; did you mean open, openat?'],
    ["xyzzyxyzzy", /^unknown system call "xyzzyxyzzy"$/],
    ["file", 'unknown system call "file"; the class is written %file'],
    ["%files", 'unknown class of system calls "%files"; known are %file %desc'],
    ["/nothing_like_it/", "no system call matches /nothing_like_it/"],
    ["/(/", "is no regular expression"],
    ["", "names no system call"],
    ["read,", 'unknown system call ""'],
  ])("%j is refused with a message that helps", (expression, message) => {
    expect(() => parseTraceFilter(expression)).toThrow(message);
  });
});
