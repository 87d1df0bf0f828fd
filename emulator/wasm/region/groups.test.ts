/** Which accesses of a block share a test. */
import { describe, expect, test } from "vitest";
import { assemble } from "../../contract/assemble.ts";
import { CodeReader, type Instruction } from "../decode.ts";
import { findGroups } from "./groups.ts";

function decode(source: string): Instruction[] {
  const code = assemble(source.replaceAll(";", "\n"));
  const reader = new CodeReader(code, 0x400000);
  const instructions: Instruction[] = [];
  for (let at = 0; at < code.length; at += instructions.at(-1)!.length) instructions.push(reader.read(0x400000 + at)!);
  reader.dispose();
  return instructions;
}

/** For every member the number of its group and its distance from the group's first byte. */
function groupsOf(source: string): string {
  const instructions = decode(source);
  const members = findGroups(instructions);
  const groups = [...new Set([...members.values()].map(({ group }) => group))];
  return instructions
    .map((instruction) => {
      const member = members.get(instruction);
      return member ? `${groups.indexOf(member.group)}+${member.offset - member.group.low}` : "-";
    })
    .join(" ");
}

describe("groups", () => {
  test.each([
    ["mov eax, [rdi]; mov [rdi + 8], rax", "0+0 0+8"],
    ["mov eax, [rdi]; mov ecx, [rsi]", "- -"],
    ["mov eax, [rdi + 8]; add rdi, 16; mov ecx, [rdi - 16]; inc rdi; dec rdi; mov edx, [rdi]", "0+8 - 0+0 - - 0+16"],
    ["mov eax, [rdi]; mov rdi, [rdi + 8]; mov ecx, [rdi + 16]; mov ecx, [rdi]", "0+0 0+8 1+16 1+0"],
    ["mov eax, [rdi]; mov edi, edi; mov ecx, [rdi]", "- - -"],
    ["mov eax, [rdi]; add edi, 8; mov ecx, [rdi]", "- - -"],
    ["mov rbp, rsp; mov eax, [rbp - 8]; lea rdi, [rsp - 16]; mov [rdi], eax", "- 0+8 - 0+0"],
    ["push rbx; push 5; mov eax, [rsp + 8]; call rcx", "0+16 0+8 0+16 0+0"],
    ["pop rbx; pop rdi; ret", "0+0 0+8 0+16"],
    ["pop rdi; mov eax, [rdi]; pop rsp; mov eax, [rsp]; mov eax, [rdi + 4]", "- - - - -"],
    ["push rax; push word ptr 5; push rax; push rbx", "- - 0+8 0+0"],
    ["push rax; push qword ptr [rsp]; push rax; push rbx", "- - 0+8 0+0"],
    ["push rbp; enter 16, 0; push rbp; leave; push rax", "- - - - -"],
    ["mov eax, [rdi]; mov eax, [rdi + rcx]; mov eax, fs:[rdi]; mov eax, [edi]; mov eax, [rdi + 8]", "0+0 - - - 0+8"],
    ["mov eax, [rdi]; mov eax, [rdi + 300]; mov eax, [rdi + 304]", "- 0+0 0+4"],
    ["mov eax, [rdi]; movsd; mov eax, [rdi]", "- - -"],
    ["mov eax, [rdi]; cmpsd; mov eax, [rdi]", "- - -"],
    ["mov eax, [rdi]; rep movsb; mov eax, [rdi]", "- - -"],
    ["mov eax, [rdi]; bt [rdi], rax; mov eax, [rdi + 4]", "0+0 - 0+4"],
    ["mov [rdx], eax; mul rcx; mov [rdx], eax", "- - -"],
    ["mov eax, [rdi]; xchg rax, rdi; mov eax, [rdi]", "- - -"],
    ["mov eax, [rdi]; cmpxchg [rdi], ecx; mov eax, [rdi]", "- - -"],
    ["movaps xmm0, [rdi]; addsd xmm0, [rdi + 16]; movaps [rdi + 32], xmm0", "0+0 0+16 0+32"],
    ["mov [rcx], eax; pcmpistri xmm0, xmm1, 0; mov [rcx], eax", "- - -"],
    ["movq rdi, xmm0; mov [rdi], eax; movd edi, xmm1; mov [rdi], eax", "- - - -"],
    ["fld qword ptr [rdi]; mov eax, [rdi]; mov ecx, [rdi + 4]", "- 0+0 0+4"],
  ])("%s", (source, expected) => {
    expect(groupsOf(source)).toBe(expected);
  });
});
