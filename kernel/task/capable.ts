/** Privilege checks (capabilities(7)). */
import type { UserNamespace } from "../namespaces/user-namespace.ts";
import { hasCapability } from "./credentials.ts";
import type { Task } from "./task.ts";

/** True if the task holds a capability towards the initial user namespace, as most of the kernel asks. */
export function capable(task: Task, capability: number): boolean {
  return hasCapability(task.creds, capability, task.kernel.initUserNamespace);
}

/** True if the task holds a capability towards a user namespace. */
export function capableIn(task: Task, capability: number, namespace: UserNamespace): boolean {
  return hasCapability(task.creds, capability, namespace);
}
