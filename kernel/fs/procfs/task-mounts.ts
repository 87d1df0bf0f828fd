/** mounts and mountinfo of a process (proc_pid_mountinfo(5)). */
import { TASK_ZOMBIE, type Task } from "../../task/task.ts";
import { deviceMajor, deviceMinor } from "../../vfs/device-number.ts";
import type { Mount } from "../../vfs/mount.ts";
import { pathInFileSystem, pathWithin } from "../../vfs/path.ts";

const escape = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);

function mountOptions(mount: Mount): string {
  const { noSuid, noDev, noExec, accessTime } = mount.attributes;
  const options = [mount.attributes.readOnly ? "ro" : "rw"];
  if (noSuid) options.push("nosuid");
  if (noDev) options.push("nodev");
  if (noExec) options.push("noexec");
  if (accessTime !== "strictatime") options.push(accessTime);
  return options.join(",");
}

const superOptions = (mount: Mount): string => (mount.fs.readOnly ? "ro" : "rw") + mount.fs.mountOptions;

/** Mounts that can be seen from the process's root, with their path there. */
function* visible(task: Task): Generator<[Mount, string]> {
  if (task.state >= TASK_ZOMBIE) return;
  const { root } = task.fs;
  for (const mount of task.namespaces.mount.mounts) {
    const { text, reachable } = pathWithin(mount.rootPath, root);
    if (reachable) yield [mount, text];
  }
}

export function mounts(task: Task): string {
  let text = "";
  for (const [mount, path] of visible(task)) {
    const options =
      mount.readOnly && !mount.attributes.readOnly ? mountOptions(mount).replace("rw", "ro") : mountOptions(mount);
    text += `${escape(mount.source)} ${escape(path)} ${mount.fs.type} ${options}${mount.fs.mountOptions} 0 0\n`;
  }
  return text;
}

export function mountinfo(task: Task): string {
  let text = "";
  for (const [mount, path] of visible(task)) {
    const { device, type } = mount.fs;
    const ids = `${mount.id} ${mount.parent?.id ?? mount.id} ${deviceMajor(device)}:${deviceMinor(device)}`;
    const inside = escape(pathInFileSystem(mount.root));
    text += `${ids} ${inside} ${escape(path)} ${mountOptions(mount)} - ${type} ${escape(mount.source)} ${superOptions(mount)}\n`;
  }
  return text;
}
