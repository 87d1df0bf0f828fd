/** The base module's table of translated functions, and which places in it are free. */
const SMALLEST_GROWTH = 256;

export class FunctionTable {
  private readonly table: WebAssembly.Table;
  private readonly free: number[] = [];
  private next = 1;

  constructor(table: WebAssembly.Table) {
    this.table = table;
  }

  /** Takes a place. */
  reserve(): number {
    const slot = this.free.pop() ?? this.next++;
    if (slot >= this.table.length) this.table.grow(Math.max(SMALLEST_GROWTH, this.table.length));
    return slot;
  }

  set(slot: number, translated: unknown): void {
    this.table.set(slot, translated);
  }

  get(slot: number): unknown {
    return this.table.get(slot);
  }

  /** Gives a place back; what stood there is forgotten. */
  release(slot: number): void {
    this.table.set(slot, null);
    this.free.push(slot);
  }
}
