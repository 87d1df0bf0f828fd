/**
 * Which registers a region has to load and store: those that somebody reads before they are written, and those that were
 * written since they were stored last. Registers are bits of a mask: 0 to 15 general ones, 16 to 31 vectors.
 *
 * Code is written down as it is emitted, block by block, in a straight line: what happens on one of two ways only may
 * happen. Then both questions are answered for the graph of blocks, by iteration to the fixed point.
 */

/** A place where registers are stored: where control leaves, for good or for a guest function, or before it might. */
export interface ExitPoint {
  /** Registers that may be newer than the register file. */
  dirty: number;
}

export interface CallPoint extends ExitPoint {
  /** Registers to be loaded behind it. */
  needed: number;
}

type Event =
  | { readonly kind: "exit" | "store"; readonly point: ExitPoint }
  | { readonly kind: "call"; readonly point: CallPoint }
  | { readonly kind: "edge"; readonly to: number };

/** Code up to an event. */
interface Step {
  /** Registers read before they are surely written. */
  readonly read: number;
  readonly surelyWritten: number;
  readonly written: number;
  readonly event: Event;
}

interface Node {
  readonly steps: Step[];
  dirty: number;
  needed: number;
}

export class RegisterFlow {
  private readonly nodes: Node[];
  private node: Node;
  private read = 0;
  private surelyWritten = 0;
  private written = 0;

  constructor(blocks: number) {
    this.nodes = Array.from({ length: blocks }, () => ({ steps: [], dirty: 0, needed: 0 }));
    this.node = this.nodes[0]!;
  }

  // ---- what happens, in the order of the code ----

  /** Code of a block follows. */
  begin(block: number): void {
    this.node = this.nodes[block]!;
    this.reset();
  }

  noteRead(registers: number): void {
    this.read |= registers & ~this.surelyWritten;
  }

  /** @param surely whether control that comes to what follows has passed here */
  noteWrite(registers: number, surely: boolean): void {
    this.written |= registers;
    if (surely) this.surelyWritten |= registers;
  }

  edge(to: number): void {
    this.note({ kind: "edge", to });
  }

  exit(): ExitPoint {
    const point = { dirty: 0 };
    this.note({ kind: "exit", point });
    return point;
  }

  /** Whatever is newer than the register file is stored here. */
  store(): ExitPoint {
    const point = { dirty: 0 };
    this.note({ kind: "store", point });
    return point;
  }

  call(): CallPoint {
    const point = { dirty: 0, needed: 0 };
    this.note({ kind: "call", point });
    return point;
  }

  // ---- what follows from it ----

  /** Fills in all points. Returns the registers to be loaded at the start of the first block. */
  solve(): number {
    while (this.nodes.reduce((changed, node) => this.spreadDirty(node) || changed, false));
    while (this.nodes.reduceRight((changed, node) => this.spreadNeeded(node) || changed, false));
    return this.nodes[0]!.needed;
  }

  private note(event: Event): void {
    const { read, surelyWritten, written } = this;
    this.node.steps.push({ read, surelyWritten, written, event });
    this.reset();
  }

  private reset(): void {
    this.read = 0;
    this.surelyWritten = 0;
    this.written = 0;
  }

  /** Takes what is dirty at a block's start along its code. Whether another block's start has changed. */
  private spreadDirty(node: Node): boolean {
    let { dirty } = node;
    let changed = false;
    for (const { written, event } of node.steps) {
      dirty |= written;
      if (event.kind === "edge") {
        const to = this.nodes[event.to]!;
        if ((dirty & ~to.dirty) !== 0) changed = true;
        to.dirty |= dirty;
      } else {
        event.point.dirty = dirty;
        if (event.kind !== "exit") dirty = 0;
      }
    }
    return changed;
  }

  /** Takes what is needed at a block's end back along its code. Whether that has changed its start. */
  private spreadNeeded(node: Node): boolean {
    let needed = 0;
    for (let i = node.steps.length - 1; i >= 0; i--) {
      const { read, surelyWritten, event } = node.steps[i]!;
      if (event.kind === "edge") needed |= this.nodes[event.to]!.needed;
      else {
        if (event.kind === "call") {
          event.point.needed = needed;
          needed = 0;
        }
        needed |= event.point.dirty;
      }
      needed = read | (needed & ~surelyWritten);
    }
    const changed = needed !== node.needed;
    node.needed = needed;
    return changed;
  }
}
