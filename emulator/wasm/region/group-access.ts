/**
 * One test for the accesses of a group (groups.ts), where the first of them is made: a local then has the host address of
 * the group's bytes, or 0 when they are not all at hand. The test never faults, nor does it look anything up: members
 * without a host address are accessed one by one, so what faults is the access that would fault alone.
 */
import { I32, type Assembler } from "../emit/assembler.ts";
import { Memory, W } from "../emit/opcodes.ts";
import { pushTlbEntry, type Access } from "../context.ts";
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
  private readonly hosts: number[] = [];
  private readonly opened = new Map<Group, Opened>();
  private members: ReadonlyMap<Instruction, Member> = new Map();
  private nesting = 0;

  constructor(e: Assembler, layout: Layout, sites: Sites) {
    this.e = e;
    this.layout = layout;
    this.sites = sites;
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

  /** Makes an access of a member; `slowly` makes it when there is no host address. */
  write(member: Member, access: Access, locals: Locals, slowly: () => void): void {
    const { e } = this;
    const { group, offset } = member;
    const known = this.opened.get(group);
    const opened = known ?? this.open(group);
    opened.write ||= access.write;
    if (access.aligned) opened.aligned ??= offset;
    const { host } = opened;
    if (known) e.get(host).op(W.i32_eqz);
    else this.pushTest(member, opened, locals);
    e.unlikely().if(access.result ?? I32);
    if (!known) e.i32(0).set(host);
    slowly();
    e.else();
    if (known) e.get(host);
    else {
      this.pushHost(member, opened, locals);
      e.tee(host);
    }
    if (access.use) access.use(offset - group.low);
    else e.i32(offset - group.low).op(W.i32_add);
    e.end();
  }

  private open(group: Group): Opened {
    const number = this.opened.size;
    const opened = { host: (this.hosts[number] ??= this.e.local(I32)), write: false, aligned: undefined };
    this.opened.set(group, opened);
    return opened;
  }

  /** Pushes whether not all bytes of the group are at hand: written when all members are known. */
  private pushTest({ group, operand, offset, displacement }: Member, opened: Opened, locals: Locals): void {
    const { base, distance, entry } = locals;
    this.e.later((e) => {
      const { layout } = this;
      const aligned = opened.aligned !== undefined;
      const start = group.low - leadIn(group, opened);
      const size = group.high - start;
      const place = this.sites.place(operand, opened.write);
      const fromBase = displacement - offset + start;
      e.get(base);
      if (fromBase !== 0) e.i64(fromBase).op(W.i64_add);
      if (place === undefined) {
        const tlb = opened.write ? layout.writeTlb : layout.readTlb;
        e.set(distance);
        pushTlbEntry(e, distance, entry);
        e.get(distance).get(entry).memory(Memory.i64_load, tlb);
      } else e.loadAt(Memory.i64_load, place + SITE_START);
      e.op(W.i64_sub).tee(distance);
      if (aligned) e.i64(4).op(W.i64_rotr);
      if (place === undefined) e.i64(aligned ? (4096 - size) >> 4 : 4096 - size);
      else e.loadAt(Memory.i64_load, place + boundOffset(size, aligned)!);
      e.op(W.i64_gt_u);
    });
  }

  /** Pushes the host address of the group's first byte. */
  private pushHost({ group, operand }: Member, opened: Opened, { distance, entry }: Locals): void {
    this.e.later((e) => {
      const { layout } = this;
      const place = this.sites.place(operand, opened.write);
      e.get(distance).wrap();
      if (place === undefined)
        e.get(entry).memory(Memory.i32_load, (opened.write ? layout.writeTlb : layout.readTlb) + 8);
      else e.loadAt(Memory.i32_load, place + SITE_HOST);
      e.op(W.i32_add);
      const before = leadIn(group, opened);
      if (before > 0) e.i32(before).op(W.i32_add);
    });
  }
}

/** Locals that the test is made with: the base register, an i64 and an i32. */
export interface Locals {
  readonly base: number;
  readonly distance: number;
  readonly entry: number;
}

/** Bytes before the group, so that the aligned members are aligned when the test's first byte is. */
const leadIn = ({ low }: Group, { aligned }: Opened): number =>
  aligned === undefined ? 0 : (((low - aligned) % 16) + 16) % 16;
