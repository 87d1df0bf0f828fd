/** maps and smaps of a process (proc_pid_maps(5)). */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../../abi/mman.ts";
import { PAGE_SIZE } from "../../mm/layout.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { Vma } from "../../mm/vma.ts";
import type { Task } from "../../task/task.ts";
import { deviceMajor, deviceMinor } from "../../vfs/device-number.ts";

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

function line(area: Vma): string {
  const permissions =
    ((area.prot & PROT_READ) !== 0 ? "r" : "-") +
    ((area.prot & PROT_WRITE) !== 0 ? "w" : "-") +
    ((area.prot & PROT_EXEC) !== 0 ? "x" : "-") +
    (area.shared ? "s" : "p");
  const { file } = area;
  const device = file ? `${hex(deviceMajor(file.device), 2)}:${hex(deviceMinor(file.device), 2)}` : "00:00";
  const offset = area.store ? area.storePage * PAGE_SIZE : 0;
  const start = `${hex(area.start, 8)}-${hex(area.end, 8)} ${permissions} ${hex(offset, 8)} ${device} ${file?.inode ?? 0}`;
  const name = file ? file.path.replaceAll("\n", "\\012") : area.name;
  return name === "" ? `${start} \n` : `${start.padEnd(72)} ${name}\n`;
}

export function maps(task: Task): string {
  return task.mm ? task.mm.vmas.areas.map(line).join("") : "";
}

/** Pages of an area that are mapped now. */
function residentPages(space: AddressSpace, area: Vma): number {
  let count = 0;
  space.table.forEachPresent(area.start, area.end, () => count++);
  return count;
}

export function smaps(task: Task): string {
  const { mm } = task;
  if (!mm) return "";
  const kib = (bytes: number): string => `${String(bytes / 1024).padStart(8)} kB\n`;
  return mm.vmas.areas
    .map((area) => {
      const resident = residentPages(mm, area) * PAGE_SIZE;
      const shared = area.shared ? resident : 0;
      return (
        line(area) +
        `Size:           ${kib(area.end - area.start)}` +
        `KernelPageSize: ${kib(PAGE_SIZE)}` +
        `MMUPageSize:    ${kib(PAGE_SIZE)}` +
        `Rss:            ${kib(resident)}` +
        `Pss:            ${kib(resident)}` +
        `Shared_Clean:   ${kib(0)}` +
        `Shared_Dirty:   ${kib(shared)}` +
        `Private_Clean:  ${kib(0)}` +
        `Private_Dirty:  ${kib(resident - shared)}` +
        `Referenced:     ${kib(resident)}` +
        `Anonymous:      ${kib(area.store ? 0 : resident)}` +
        `Swap:           ${kib(0)}` +
        `Locked:         ${kib(area.locked ? resident : 0)}`
      );
    })
    .join("");
}
