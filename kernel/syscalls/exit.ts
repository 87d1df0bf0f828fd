/** _exit(2) and exit_group(2). */
import { handler } from "../dispatch.ts";
import { endGroup, endTask } from "../task/exit.ts";
import { REGISTERS_SET } from "../task/task.ts";

export const exit = handler("exit", (task, status) => {
  endTask(task, (status & 0xff) << 8);
  return REGISTERS_SET;
});

export const exit_group = handler("exit_group", (task, status) => {
  endGroup(task, (status & 0xff) << 8);
  return REGISTERS_SET;
});
