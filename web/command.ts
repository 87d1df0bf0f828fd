/** From what was typed into the page to a program of root.tar. */

/** Where programs are looked for, here and in the guest. */
export const PATH = ["/bin", "/guests", "/guests/bench", "/guests/bench/kernels"] as const;

/** Command lines that show what the machine can do. */
export const SUGGESTIONS = [
  "sh",
  "hello",
  "clone2",
  "fork-tree",
  "pipes",
  "signals",
  "faults",
  "threads-by-clone",
  "sha256 5000",
] as const;

/** The places where a program of this name may be, the likeliest first. */
export function programsNamed(name: string): string | readonly string[] {
  return name.startsWith("/") ? name : PATH.map((folder) => `${folder}/${name}`);
}
