/** What a refused call must leave as it was, as lines of text that can be compared. */
import type { Task } from "../../kernel/task/task.ts";
import { pathToString } from "../../kernel/vfs/path.ts";

export function describeState(task: Task): string[] {
  const { kernel, group, memory, files, fs, creds, namespaces } = task;
  const lines = [
    `state ${task.state} call ${task.callNumber} queues ${task.queues.length} futexes ${kernel.futexes.size}`,
    `tasks ${kernel.taskCount}: ${[...kernel.initPidNamespace.all()].map((pid) => pid.own).join(" ")}`,
    `pending ${task.pending.set} ${group.pending.set} mask ${task.blockedSignals} saved ${task.savedMask}`,
    `actions ${Array.from({ length: 64 }, (_, index) => JSON.stringify(task.actions.get(index + 1))).join()}`,
    `stack ${JSON.stringify(task.altStack)} tid address ${task.clearChildTid} robust ${task.robustList}`,
    `cwd ${pathToString(fs.cwd, fs.root)} umask ${fs.umask} comm ${task.comm} dumpable ${group.dumpable}`,
    `limits ${group.limits.map(({ current, maximum }) => `${current}/${maximum}`).join()}`,
    `timers ${kernel.timers.size} clock ${kernel.clockOffset} personality ${task.personality}`,
    `group ${group.pid.own} ${group.processGroup.own} ${group.session.own} subreaper ${group.childSubreaper}`,
    `names ${namespaces.uts.nodename} ${namespaces.uts.domainname} mount ${namespaces.mount.inode}`,
    `break ${memory.brkEnd} fs base ${task.kernel.engine.cpu.u64[18]} gs base ${task.kernel.engine.cpu.u64[19]}`,
    `creds ${JSON.stringify(creds, (key, value) => (key === "userNamespace" ? value.inode : typeof value === "bigint" ? `${value}` : value))}`,
  ];
  for (const [fd, file] of files.entries()) {
    lines.push(
      `fd ${fd} ${files.getFlags(fd)} ${file.flags} at ${file.position} of ${file.inode.number} users ${file.users}`,
    );
  }
  for (const area of memory.vmas.areas) {
    lines.push(`area ${area.start.toString(16)}-${area.end.toString(16)} ${area.prot} ${area.locked} ${area.dontFork}`);
  }
  return lines;
}

/** Lines that are in one of the states only. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}
