/**
 * One test for the accesses of a group (groups.ts), where the first of them is made: a local then has the host address of
 * the group's bytes. When they do not all lie side by side, or one of them would fault, the interpreter goes on from there
 * and accesses them one by one.
 */
import { I32, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { pushTlbEntry, type Access, type RuntimeFunction } from "../context.ts";
import type { Instruction, MemoryOperand } from "../decode.ts";
import type { Layout } from "../layout.ts";
import { boundOffset, SITE_HOST, SITE_START } from "../windows.ts";
import { findGroups, type Group, type Member } from "./groups.ts";
import type { Sites } from "./sites.ts";

interface Opened {
  readonly host: number;
  /** Whether a member writes. */
  write: boolean;
  /** Offset of a member that has to be aligned. */
  aligned: number | undefined;
}

export class GroupAccess {
  private readonly e: Assembler;
  private readonly layout: Layout;
  private readonly sites: Sites;
  private readonly runtime: RuntimeFunction;
  private readonly hosts: number[] = [];
  private readonly opened = new Map<Group, Opened>();
  private members: ReadonlyMap<Instruction, Member> = new Map();
  private nesting = 0;

  constructor(e: Assembler, layout: Layout, sites: Sites, runtime: RuntimeFunction) {
    this.e = e;
    this.layout = layout;
    this.sites = sites;
    this.runtime = runtime;
  }

  beginBlock(instructions: readonly Instruction[]): void {
    this.members = findGroups(instructions);
    this.opened.clear();
    this.nesting = this.e.depth;
  }

  /** The member that an access through an operand is, if it may use its group's test. */
  find(instruction: Instruction, operand: MemoryOperand | undefined, access: Access): Member | undefined {
    const member = this.members.get(instruction);
    if (!member || member.operand !== operand || access.size > member.size) return undefined;
    const { group, offset } = member;
    const opened = this.opened.get(group);
    // A test that might not be made is none.
    if (!opened && this.e.depth !== this.nesting) return undefined;
    const aligned = opened?.aligned;
    if (access.aligned && aligned !== undefined && (offset - aligned) % 16 !== 0) return undefined;
    return member;
  }

  /** Makes an access of a member; `leave` goes to the interpreter when the group's bytes are not all at hand. */
  write(member: Member, access: Access, locals: Locals, leave: () => void): void {
    const { e } = this;
    const { group, offset } = member;
    const known = this.opened.get(group);
    const opened = known ?? this.open(group);
    opened.write ||= access.write;
    if (access.aligned) opened.aligned ??= offset;
    const { host } = opened;
    if (known) e.get(host);
    else {
      this.pushTest(member, opened, locals);
      e.unlikely().if(I32);
      this.pushSlowAccess(member, opened, locals);
      e.tee(host).op(W.i32_eqz).unlikely().if();
      leave();
      e.end();
      e.get(host).i32(-1).op(W.i32_xor);
      e.else();
      this.pushHost(member, opened, locals);
      e.end();
      this.addLeadIn(group, opened);
      e.tee(host);
    }
    if (access.use) access.use(offset - group.low);
    else e.i32(offset - group.low).op(W.i32_add);
  }

  private open(group: Group): Opened {
    const number = this.opened.size;
    const opened = { host: (this.hosts[number] ??= this.e.local(I32)), write: false, aligned: undefined };
    this.opened.set(group, opened);
    return opened;
  }

  /** Pushes whether not all bytes of the group are at hand. What depends on its members is written when all are known. */
  private pushTest({ group, operand, offset, displacement }: Member, opened: Opened, locals: Locals): void {
    const { base, start, distance, entry } = locals;
    this.e.later((e) => {
      const { layout } = this;
      const aligned = opened.aligned !== undefined;
      const place = this.sites.place(operand, opened.write);
      const fromBase = displacement - offset + group.low - leadIn(group, opened);
      e.get(base);
      if (fromBase !== 0) e.i64(fromBase).op(W.i64_add);
      e.tee(start);
      if (place === undefined) {
        const tlb = opened.write ? layout.writeTlb : layout.readTlb;
        pushTlbEntry(e, start, entry);
        e.get(entry).memory(Memory.i64_load, tlb);
      } else e.loadAt(Memory.i64_load, place + SITE_START);
      e.op(W.i64_sub).tee(distance);
      const size = bytesOf(group, opened);
      if (aligned) e.i64(4).op(W.i64_rotr);
      if (place === undefined) e.i64(aligned ? (4096 - size) >> 4 : 4096 - size);
      else e.loadAt(Memory.i64_load, place + boundOffset(size, aligned)!);
      e.op(W.i64_gt_u);
    });
  }

  /** Pushes the complement of the host address of the group's bytes, looked up, or 0. */
  private pushSlowAccess({ group, operand }: Member, opened: Opened, { start }: Locals): void {
    this.e.later((e) => {
      const place = this.sites.place(operand, opened.write);
      const access = (opened.write ? "lookToWrite" : "lookToRead") + (place === undefined ? "" : "At");
      // RIP does not matter: nothing faults here.
      e.get(start).i64(0).i32(bytesOf(group, opened));
      if (place !== undefined) e.i32(place);
      e.call(this.runtime(access));
      if (opened.aligned !== undefined) {
        e.i32(0).get(start).wrap().i32(15).op(W.i32_and, W.i32_eqz).select();
      }
    });
  }

  /** Pushes the host address of the group's bytes, which are at hand. */
  private pushHost({ operand }: Member, opened: Opened, { distance, entry }: Locals): void {
    this.e.later((e) => {
      const { layout } = this;
      const place = this.sites.place(operand, opened.write);
      e.get(distance).wrap();
      if (place === undefined)
        e.get(entry).memory(Memory.i32_load, (opened.write ? layout.writeTlb : layout.readTlb) + 8);
      else e.loadAt(Memory.i32_load, place + SITE_HOST);
      e.op(W.i32_add);
    });
  }

  private addLeadIn(group: Group, opened: Opened): void {
    this.e.later((e) => {
      const before = leadIn(group, opened);
      if (before > 0) e.i32(before).op(W.i32_add);
    });
  }
}

/** Locals that the test is made with: the base register, two i64 and an i32. */
export interface Locals {
  readonly base: number;
  readonly start: number;
  readonly distance: number;
  readonly entry: number;
}

/** Bytes before the group, so that the aligned members are aligned when the test's first byte is. */
const leadIn = ({ low }: Group, { aligned }: Opened): number =>
  aligned === undefined ? 0 : (((low - aligned) % 16) + 16) % 16;

/** How many bytes the test is for. */
const bytesOf = (group: Group, opened: Opened): number => group.high - group.low + leadIn(group, opened);
