/** Node's errors as Linux's numbers, whatever the host numbers them. */
import { EINVAL, EIO, errnoByNumber } from "../../abi/errno.ts";

const numbers = new Map([...errnoByNumber.values()].map(({ name, number }) => [name, number]));

/** The -errno of what a function of node:fs has thrown. */
export function negativeErrno(error: unknown): number {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code !== "string") return -EIO.number;
  // Arguments that Node refuses by itself, such as a path with a NUL.
  if (code.startsWith("ERR_")) return -EINVAL.number;
  return -(numbers.get(code) ?? EIO.number);
}
