import { beforeEach, describe, expect, it } from "vitest";
import { PidNamespace } from "../../pid/pid-namespace.ts";
import { UserNamespace } from "../../namespaces/user-namespace.ts";
import { BUFFER, FileMachine } from "../../testing/file-machine.ts";

let machine: FileMachine;
beforeEach(() => {
  machine = new FileMachine();
});

const write = (path: string, text: string) => {
  const fd = machine.call("open", path, 1, 0);
  if (typeof fd !== "number") return fd;
  const result = machine.call("write", fd, text, text.length);
  machine.call("close", fd);
  return result;
};

const readlink = (path: string) => {
  const length = machine.call("readlink", path, BUFFER, 200);
  return typeof length === "number" ? machine.text(length) : length;
};

describe("/proc", () => {
  it("lists processes by number, and self among the files", () => {
    const names = machine.list("/proc");
    expect(names).toContain("1");
    expect(names).toContain(String(machine.task.tid));
    expect(names).toContain("self");
    expect(readlink("/proc/self")).toBe(String(machine.task.tid));
    expect(readlink("/proc/thread-self")).toBe(`${machine.task.tid}/task/${machine.task.tid}`);
  });

  it("reads from start to end and again from the start", () => {
    const fd = machine.call("open", "/proc/self/comm", 0, 0) as number;
    expect(machine.call("read", fd, BUFFER, 3)).toBe(3);
    expect(machine.call("read", fd, BUFFER, 100)).toBe(2);
    expect(machine.call("read", fd, BUFFER, 100)).toBe(0);
    machine.call("lseek", fd, 0, 0);
    expect(machine.call("read", fd, BUFFER, 100)).toBe(5);
  });

  it.each([
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/stat",
    "/proc/version",
    "/proc/filesystems",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/maps",
    "/proc/self/smaps",
    "/proc/self/limits",
    "/proc/self/mounts",
    "/proc/self/mountinfo",
    "/proc/1/status",
    "/proc/1/stat",
  ])("%s says something", (path) => {
    expect(machine.readFile(path)).toMatch(/\w/);
  });

  it("every file of every process can be opened and read without harm", () => {
    for (const process of ["1", "self"]) {
      for (const name of machine.list(`/proc/${process}`)) {
        if (["task", "fd", "fdinfo", "ns", "cwd", "root", "exe"].includes(name)) continue;
        expect(machine.readFile(`/proc/${process}/${name}`)).not.toMatch(/^E[A-Z]+$/);
      }
    }
  });

  it("shows the mounts as they are", () => {
    expect(machine.readFile("/proc/mounts").split("\n")[0]).toMatch(/^rootfs \/ tmpfs rw,relatime/);
    machine.call("mkdir", "/tmp/a b", 0o755);
    machine.call("mount", "none", "/tmp/a b", "tmpfs", 1 | 2, 0);
    expect(machine.readFile("/proc/mounts")).toContain("none /tmp/a\\040b tmpfs ro,nosuid,relatime");
  });

  it("loses a process's directory when the process is gone", () => {
    const other = machine.newTask();
    const path = `/proc/${other.tid}/comm`;
    expect(machine.readFile(path)).toBe("test\n");
    other.pid.task = null;
    other.pid.group = null;
    other.group.tasks.delete(other);
    expect(machine.readFile(path)).toBe("ENOENT");
  });
});

describe("the links of a process", () => {
  it("jump to its files, whatever their names have become", () => {
    machine.writeFile("/tmp/f", "still here");
    const fd = machine.call("open", "/tmp/f", 0, 0) as number;
    expect(readlink(`/proc/self/fd/${fd}`)).toBe("/tmp/f");
    machine.call("unlink", "/tmp/f");
    expect(readlink(`/proc/self/fd/${fd}`)).toBe("/tmp/f (deleted)");
    expect(machine.readFile(`/proc/self/fd/${fd}`)).toBe("still here");
  });

  it("open a pipe again by its descriptor", () => {
    machine.call("pipe2", BUFFER, 0);
    const [reader, writer] = [machine.word(BUFFER), machine.word(BUFFER + 4)];
    expect(readlink(`/proc/self/fd/${reader}`)).toMatch(/^pipe:\[\d+\]$/);
    machine.call("write", writer, "through", 7);
    const again = machine.call("open", `/proc/self/fd/${reader}`, 0, 0) as number;
    expect(machine.call("read", again, BUFFER, 100)).toBe(7);
  });

  it("lead to the root and the working directory, for those who may look", () => {
    machine.call("chdir", "/tmp");
    expect(readlink("/proc/self/cwd")).toBe("/tmp");
    expect(readlink("/proc/self/root")).toBe("/");
    const other = machine.newTask();
    other.creds = { ...other.creds, uid: 1, euid: 1, fsuid: 1, effective: 0n };
    expect(machine.callAs(other, "readlink", `/proc/${machine.task.tid}/cwd`, BUFFER, 100)).toBe("EACCES");
    expect(machine.callAs(other, "readlink", "/proc/self/cwd", BUFFER, 100)).toBe(4);
  });

  it("name the namespaces by inode", () => {
    expect(readlink("/proc/self/ns/pid")).toBe("pid:[4026531836]");
    expect(readlink("/proc/self/ns/user")).toBe("user:[4026531837]");
    const fd = machine.call("open", "/proc/self/ns/uts", 0, 0);
    expect(fd).toBe(0);
    expect(readlink("/proc/self/fd/0")).toBe("uts:[4026531838]");
  });
});

describe("/proc/sys", () => {
  it.each([
    ["kernel/pid_max", "300", "EINVAL"],
    ["kernel/pid_max", "4194305", "EINVAL"],
    ["kernel/pid_max", "x", "EINVAL"],
    ["kernel/pid_max", "301\n", 4],
    ["kernel/pid_max", "4194304", 7],
    ["kernel/ns_last_pid", "1000", 4],
    ["kernel/ns_last_pid", "-1", "EINVAL"],
    ["kernel/hostname", "name", 4],
    ["kernel/ostype", "x", "EINVAL"],
  ])("writing to %s: %j gives %s", (name, text, result) => {
    expect(write(`/proc/sys/${name}`, text)).toBe(result);
  });

  it("sets the limit of the writer's own pid namespace, and only with CAP_SYS_ADMIN", () => {
    write("/proc/sys/kernel/pid_max", "5000");
    expect(machine.kernel.initPidNamespace.pidMax).toBe(5000);
    machine.task.creds = { ...machine.task.creds, effective: 0n };
    expect(write("/proc/sys/kernel/pid_max", "6000")).toBe("EPERM");
    expect(machine.readFile("/proc/sys/kernel/pid_max")).toBe("5000\n");
  });

  it("gives a new uuid with each read and one boot id", () => {
    expect(machine.readFile("/proc/sys/kernel/random/uuid")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
    expect(machine.readFile("/proc/sys/kernel/random/boot_id")).toBe(
      machine.readFile("/proc/sys/kernel/random/boot_id"),
    );
  });
});

describe("a proc mount", () => {
  it("shows the pids of the namespace it was mounted in", () => {
    const inner = new PidNamespace(machine.kernel.initPidNamespace, machine.kernel.initUserNamespace, 1);
    const { task } = machine;
    const numbers = [...task.pid.numbers, 1];
    Object.assign(task.pid, { namespace: inner, numbers });
    inner.publish(1, task.pid);
    machine.call("mkdir", "/tmp/proc", 0o755);
    machine.call("mount", "proc", "/tmp/proc", "proc", 0, 0);
    expect(machine.list("/tmp/proc").filter((name) => /^\d/.test(name))).toEqual(["1"]);
    expect(readlink("/tmp/proc/self")).toBe("1");
    expect(machine.readFile("/tmp/proc/1/status")).toContain("NSpid:\t1\n");
    expect(machine.readFile("/proc/self/status")).toContain(`NSpid:\t${numbers.join("\t")}\n`);
  });
});

describe("id maps", () => {
  let inner: UserNamespace;
  beforeEach(() => {
    inner = new UserNamespace(machine.kernel.initUserNamespace, 2, 1000, 1000);
    const { task } = machine;
    task.creds = { ...task.creds, uid: 1000, euid: 1000, fsuid: 1000, gid: 1000, egid: 1000, userNamespace: inner };
  });

  it("an ordinary user maps only itself, and a group only after giving up setgroups", () => {
    expect(write("/proc/self/uid_map", "0 0 1")).toBe("EPERM");
    expect(write("/proc/self/uid_map", "0 1000 2")).toBe("EPERM");
    expect(write("/proc/self/uid_map", "0 1000 1")).toBe(8);
    expect(write("/proc/self/uid_map", "0 1000 1")).toBe("EPERM");
    expect(write("/proc/self/gid_map", "0 1000 1")).toBe("EPERM");
    expect(write("/proc/self/setgroups", "deny")).toBe(4);
    expect(write("/proc/self/gid_map", "0 1000 1")).toBe(8);
    expect(inner.uidInside(1000)).toBe(0);
    expect(machine.readFile("/proc/self/uid_map")).toBe("         0       1000          1\n");
  });

  it.each(["", "0", "0 1000", "0 1000 0", "0 1000 1 1", "-1 0 1", "0 0 4294967296", "0 0 10\n5 100 10"])(
    "the map %j is EINVAL",
    (text) => {
      expect(write("/proc/self/uid_map", `${text}\n`)).toBe("EINVAL");
    },
  );
});
