/** An inode as a memory mapping holds it: alive while mapped, written back when the mapping goes (mmap(2)). */
import type { PageStore } from "../mm/page-store.ts";
import type { MappedFile } from "../mm/vma.ts";
import type { Inode } from "./inode.ts";
import type { Path } from "./mount.ts";
import { pathToString } from "./path.ts";

export class MappedInode implements MappedFile {
  readonly store: PageStore;
  private readonly node: Inode;
  /** Where the file was found. */
  readonly place: Path | null;
  private readonly label: string;

  /** @param label the name for a file without a path */
  constructor(node: Inode, store: PageStore, place: Path | null, label: string) {
    this.node = node;
    this.store = store;
    this.place = place;
    this.label = label;
  }

  get path(): string {
    const { place } = this;
    if (!place) return this.label;
    const top = place.mount.namespace?.root ?? place.mount;
    return pathToString(place, top.rootPath);
  }

  get device(): number {
    return this.node.fs.device;
  }

  get inode(): number {
    return this.node.number;
  }

  retain(): void {
    this.node.retain();
  }

  release(): void {
    if (this.store.dirty.size > 0) this.node.sync();
    this.node.release();
  }
}
