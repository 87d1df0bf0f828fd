/** What a change of user ids does to capabilities (capabilities(7), "Effect of user ID changes on capabilities"). */
import type { Credentials } from "./credentials.ts";

const SECBIT_NO_SETUID_FIXUP = 1 << 2;
const SECBIT_KEEP_CAPS = 1 << 4;

export function adjustCapabilities(old: Credentials, next: Credentials): Credentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const root = old.userNamespace.uidGlobal(0);
  const wasRoot = [old.uid, old.euid, old.suid].includes(root);
  const isRoot = [next.uid, next.euid, next.suid].includes(root);
  let { permitted, effective, ambient } = next;
  if (wasRoot && !isRoot) {
    ambient = 0n;
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) {
      permitted = 0n;
      effective = 0n;
    }
  }
  if (old.euid === root && next.euid !== root) effective = 0n;
  if (old.euid !== root && next.euid === root) effective = permitted;
  return { ...next, permitted, effective, ambient };
}
