/**
 * Structured control flow for a graph of blocks: strongly connected components in topological order, blocks nested so
 * that every edge forward is a branch out of some of them, and a loop for every component with a cycle. A component that
 * is entered in several places starts with a table of them.
 */
import type { Assembler, Label } from "../emit/assembler.ts";

/** How to get to a node from where code is being written. */
interface Way {
  readonly label: Label;
  /** Number of the head among several, for the table at their start. */
  readonly head: number | undefined;
}

export class Structure {
  private readonly e: Assembler;
  private readonly successors: readonly (readonly number[])[];
  private readonly predecessors: readonly number[][];
  private readonly writeNode: (node: number) => void;
  private readonly ways: (Way | undefined)[] = [];
  /** Chooses among several heads. */
  private readonly head: number;

  /** @param writeNode writes the code of a node, which ends every path with `branch` or by leaving the function */
  constructor(
    e: Assembler,
    head: number,
    successors: readonly (readonly number[])[],
    writeNode: (node: number) => void,
  ) {
    this.e = e;
    this.head = head;
    this.successors = successors;
    this.predecessors = successors.map((): number[] => []);
    successors.forEach((targets, from) => {
      for (const to of targets) this.predecessors[to]!.push(from);
    });
    this.writeNode = writeNode;
  }

  /** Writes all nodes; control comes in at the first, from which all are reachable. */
  write(): void {
    this.place(
      this.successors.map((_, i) => i),
      [0],
      new Set(),
    );
  }

  /** Branches to a node, which may be reached from here: a successor of the node being written. */
  branch(node: number): void {
    const { label, head } = this.ways[node]!;
    if (head !== undefined) this.e.i32(head).set(this.head);
    this.e.br(label);
  }

  /** Writes nodes of which `heads` are the entries; edges to `cut` nodes lead to the loop around. */
  private place(nodes: readonly number[], heads: readonly number[], cut: ReadonlySet<number>): void {
    const { e, ways } = this;
    const components = this.components(nodes, heads, cut);
    const around = new Set(nodes);
    const entries = components.map((component) => this.entriesOf(component, around, heads, cut));
    const labels: Label[] = [];
    // Control falls into the first component when it is the only entry.
    const first = heads.length > 1 ? 0 : 1;
    for (let i = components.length - 1; i >= first; i--) {
      const label = (labels[i] = e.block());
      entries[i]!.forEach((node, head) => {
        if (!cut.has(node)) ways[node] = { label, head: entries[i]!.length > 1 ? head : undefined };
      });
    }
    if (heads.length > 1) {
      e.get(this.head).brTable(heads.map((head) => labels[components.findIndex((nodes) => nodes.includes(head))]!));
    }
    components.forEach((component, i) => {
      if (i >= first) e.end();
      const node = component[0]!;
      if (component.length > 1 || (this.successors[node]!.includes(node) && !cut.has(node))) {
        this.writeLoop(component, entries[i]!);
      } else this.writeNode(node);
    });
  }

  private writeLoop(component: readonly number[], heads: readonly number[]): void {
    const label = this.e.loop();
    heads.forEach((node, head) => {
      this.ways[node] = { label, head: heads.length > 1 ? head : undefined };
    });
    this.place(component, heads, new Set(heads));
    this.e.end();
  }

  /** Nodes of a component that control enters from elsewhere. */
  private entriesOf(
    component: readonly number[],
    around: ReadonlySet<number>,
    heads: readonly number[],
    cut: ReadonlySet<number>,
  ): number[] {
    const within = new Set(component);
    const found = new Set(heads.filter((node) => within.has(node)));
    for (const to of component) {
      if (cut.has(to)) continue;
      if (this.predecessors[to]!.some((from) => around.has(from) && !within.has(from))) found.add(to);
    }
    return [...found];
  }

  /** Strongly connected components, every one before those it leads to (Tarjan's algorithm). */
  private components(nodes: readonly number[], heads: readonly number[], cut: ReadonlySet<number>): number[][] {
    const within = new Set(nodes);
    const order = new Map<number, number>();
    const low = new Map<number, number>();
    const stack: number[] = [];
    const onStack = new Set<number>();
    const found: number[][] = [];
    const visit = (node: number): void => {
      order.set(node, order.size);
      low.set(node, order.size - 1);
      stack.push(node);
      onStack.add(node);
      for (const to of this.successors[node]!) {
        if (!within.has(to) || cut.has(to)) continue;
        if (!order.has(to)) {
          visit(to);
          low.set(node, Math.min(low.get(node)!, low.get(to)!));
        } else if (onStack.has(to)) low.set(node, Math.min(low.get(node)!, order.get(to)!));
      }
      if (low.get(node) !== order.get(node)) return;
      const component: number[] = [];
      for (let member; member !== node;) {
        member = stack.pop()!;
        onStack.delete(member);
        component.push(member);
      }
      found.push(component);
    };
    for (const head of heads) if (!order.has(head)) visit(head);
    return found.reverse();
  }
}
