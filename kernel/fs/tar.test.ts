import { describe, expect, it } from "vitest";
import { FileMachine, BUFFER } from "../testing/file-machine.ts";
import { TarError } from "./tar.ts";

interface Member {
  name: string;
  type?: string;
  data?: string;
  link?: string;
  mode?: number;
  /** Written into the size field instead of the true size. */
  size?: number;
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function tar(...members: Member[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { name, type = "0", data = "", link = "", mode = 0o644, size = data.length } of members) {
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(bytesOf(text), at);
    put(0, name);
    put(100, `${mode.toString(8).padStart(7, "0")}\0`);
    put(124, `${size.toString(8).padStart(11, "0")}\0`);
    put(136, "00000000012\0");
    put(148, "        ");
    put(156, type);
    put(157, link);
    put(257, "ustar\x0000");
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const body = new Uint8Array(Math.ceil(data.length / 512) * 512);
    body.set(bytesOf(data));
    blocks.push(header, body);
  }
  blocks.push(new Uint8Array(1024));
  return Uint8Array.from(blocks.flatMap((block) => [...block]));
}

const pax = (text: string): string => {
  let length = text.length + 3;
  while (String(length).length + text.length + 2 !== length) length++;
  return `${length} ${text}\n`;
};

const unpack = (bytes: Uint8Array) => new FileMachine({ root: { kind: "tar", bytes } });

describe("a tar archive as root", () => {
  it("gives files, folders, links and times", () => {
    const machine = unpack(
      tar(
        { name: "etc/", type: "5", mode: 0o700 },
        { name: "./etc/file", data: "contents", mode: 0o640 },
        { name: "etc/link", type: "2", link: "file" },
        { name: "etc/hard", type: "1", link: "etc/file" },
        { name: "deep/er/without/folders", data: "x" },
      ),
    );
    expect(machine.readFile("/etc/link")).toBe("contents");
    expect(machine.readFile("/deep/er/without/folders")).toBe("x");
    machine.call("stat", "/etc/hard", BUFFER);
    expect([machine.word(BUFFER + 16), machine.word(BUFFER + 24), machine.word(BUFFER + 88)]).toEqual([
      2, 0o100640, 10,
    ]);
  });

  it("can be written like any tmpfs", () => {
    const machine = unpack(tar({ name: "file", data: "abcdef" }));
    const fd = machine.call("open", "/file", 2, 0) as number;
    machine.call("pwrite64", fd, "X", 1, 1);
    machine.call("ftruncate", fd, 4);
    machine.call("ftruncate", fd, 6);
    expect(machine.readFile("/file")).toBe("aXcd\0\0");
  });

  it("understands long names of GNU and pax", () => {
    const long = `${"n".repeat(60)}/${"m".repeat(120)}`;
    for (const extra of [
      { name: "././@LongLink", type: "L", data: `${long}\0` },
      { name: "PaxHeader", type: "x", data: pax(`path=${long}`) },
    ]) {
      expect(unpack(tar(extra, { name: "short", data: "x" })).readFile(`/${long}`)).toBe("x");
    }
  });

  it("lets a later member replace an earlier one", () => {
    const machine = unpack(tar({ name: "f", data: "one" }, { name: "f", data: "two" }));
    expect(machine.readFile("/f")).toBe("two");
  });

  it.each([
    ["a name with ..", tar({ name: "../x", data: "x" })],
    ["a size beyond the end", tar({ name: "x", size: 100_000 })],
    ["a hard link to nothing", tar({ name: "x", type: "1", link: "none" })],
    ["a file used as a folder", tar({ name: "x", data: "" }, { name: "x/y", data: "" })],
    ["a bad pax header", tar({ name: "p", type: "x", data: "999 path=x\n" }, { name: "x" })],
    ["no header at all", new Uint8Array(1024).fill(0x41)],
  ])("with %s is refused", (_what, bytes) => {
    expect(() => unpack(bytes)).toThrow(TarError);
  });

  it("cut off anywhere is refused or read in part, never worse", () => {
    const whole = tar({ name: "a", data: "x".repeat(700) }, { name: "b/", type: "5" }, { name: "b/c", data: "y" });
    for (let length = 0; length < whole.length; length += 97) {
      try {
        unpack(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(TarError);
      }
    }
  });
});
