/** #SS or #GP for non-canonical addresses. */
import { expect, test } from "vitest";
import { assemble } from "../../contract/assemble.ts";
import { RAX, RBP, RSP } from "../../registers.ts";
import { CodeReader } from "../decode.ts";
import { VECTOR_SS, vectorOfNonCanonical } from "./stack-fault.ts";

const FAR = 0x800000000000n;
const NEAR = 0x10000n;
/** Its last bytes are not canonical. */
const ACROSS = FAR - 1n;
const GP = 13;

/** Instruction, RAX, RSP, RBP, vector. */
const ROWS: readonly (readonly [string, bigint, bigint, bigint, number])[] = [
  ["mov rcx, [rax]", FAR, NEAR, NEAR, GP],
  ["mov rcx, [rsp + 8]", NEAR, FAR, NEAR, VECTOR_SS],
  ["mov rcx, [rbp + rax]", NEAR, NEAR, FAR, VECTOR_SS],
  ["mov rcx, fs:[rbp]", NEAR, NEAR, FAR, GP],
  ["mov rcx, [rbp + rax]", FAR, NEAR, NEAR, VECTOR_SS],
  ["push rax", NEAR, FAR + 8n, NEAR, VECTOR_SS],
  ["push [rax]", FAR, NEAR, NEAR, GP],
  ["push [rax]", NEAR, FAR + 8n, NEAR, VECTOR_SS],
  ["pop [rax]", FAR, NEAR, NEAR, GP],
  ["pop [rax]", FAR, FAR, NEAR, VECTOR_SS],
  ["call [rax]", FAR, NEAR, NEAR, GP],
  ["ret", NEAR, FAR, NEAR, VECTOR_SS],
  ["leave", NEAR, NEAR, FAR, VECTOR_SS],
  ["leave", NEAR, NEAR, ACROSS, VECTOR_SS],
  ["mov rcx, [rbp]", NEAR, NEAR, ACROSS, VECTOR_SS],
  ["mov rcx, [rax]", ACROSS, NEAR, NEAR, GP],
  ["pop rax", NEAR, ACROSS, NEAR, VECTOR_SS],
  ["hlt", NEAR, FAR, NEAR, GP],
];

test.each(ROWS)("%s with RAX %d, RSP %d and RBP %d: vector %i", (source, rax, rsp, rbp, vector) => {
  const reader = new CodeReader(assemble(`${source}; .fill 16, 1, 0x90`), 0x400000);
  const instruction = reader.read(0x400000)!;
  reader.dispose();
  const registers = new BigUint64Array(20);
  registers[RAX] = rax;
  registers[RSP] = rsp;
  registers[RBP] = rbp;
  expect(vectorOfNonCanonical(instruction, registers)).toBe(vector);
});
