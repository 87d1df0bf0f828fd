/** The first line of an interpreter script. */
import { describe, expect, it } from "vitest";
import { ENOEXEC } from "../../abi/errno.ts";
import { isScript, parseScriptLine, SCRIPT_LINE_SIZE, type ScriptLine } from "./script.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const line = (interpreter: string, argument: string | null = null): ScriptLine => ({ interpreter, argument });
const long = "x".repeat(SCRIPT_LINE_SIZE);
const firstBytes = (text: string): Uint8Array => bytesOf(text.slice(0, SCRIPT_LINE_SIZE));

const lines: readonly (readonly [string, string, ScriptLine])[] = [
  ["an interpreter", "#!/bin/sh\nexit 1\n", line("/bin/sh")],
  ["an interpreter and the end of the file", "#!/bin/sh", line("/bin/sh")],
  ["spaces and tabs before it", "#! \t /bin/sh\n", line("/bin/sh")],
  ["spaces and tabs behind it", "#!/bin/sh \t \n", line("/bin/sh")],
  ["one argument", "#!/bin/sh -e\n", line("/bin/sh", "-e")],
  [
    "everything behind the first space as one argument",
    "#!/usr/bin/env  -S a b \t c \n",
    line("/usr/bin/env", "-S a b \t c"),
  ],
  ["a carriage return as part of the name", "#!/bin/sh\r\n", line("/bin/sh\r")],
  ["a NUL as the end of the line", "#!/bin/sh\0-x\n", line("/bin/sh")],
  ["bytes that are no ASCII", "#!/bin/\xe9 \xff\n", line("/bin/\xe9", "\xff")],
  ["a relative name", "#!sh\n", line("sh")],
  ["an argument that is cut off", `#!/bin/sh ${long}`, line("/bin/sh", long.slice(0, SCRIPT_LINE_SIZE - 10))],
  ["a name that just fits with its newline", `#!${long.slice(3)}\n`, line(long.slice(3))],
];

const broken: readonly (readonly [string, string])[] = [
  ["nothing", "#!"],
  ["nothing but a newline", "#!\n/bin/sh\n"],
  ["nothing but blanks", "#! \t \n"],
  ["a NUL at once", "#!\0/bin/sh\n"],
  ["a name that is cut off", `#!${long}`],
  ["a name that is cut off behind blanks", `#!   ${long}`],
];

describe("a script line with", () => {
  it.each(lines)("%s", (_, text, expected) => expect(parseScriptLine(firstBytes(text))).toEqual(expected));
  it.each(broken)("%s is ENOEXEC", (_, text) => expect(() => parseScriptLine(firstBytes(text))).toThrow(ENOEXEC));
});

describe("a script", () => {
  const starts: readonly (readonly [string, boolean])[] = [
    ["#!", true],
    ["#!/bin/sh", true],
    ["#", false],
    ["", false],
    [" #!/bin/sh", false],
    ["!#", false],
  ];
  it.each(starts)("is told by its first two bytes: %j", (text, is) => expect(isScript(bytesOf(text))).toBe(is));
});
