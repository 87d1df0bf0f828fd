/** User and group ids and capabilities of a task; replaced as a whole, never changed in place (credentials(7)). */
import type { UserNamespace } from "../namespaces/user-namespace.ts";

/** Bits of capabilities(7): capability n is bit n. */
export type CapabilityBits = bigint;

export const LAST_CAPABILITY = 40;
export const ALL_CAPABILITIES: CapabilityBits = (1n << BigInt(LAST_CAPABILITY + 1)) - 1n;

const BIT: readonly CapabilityBits[] = Array.from({ length: 64 }, (_, index) => 1n << BigInt(index));

export interface Credentials {
  /** Ids are global; `userNamespace` translates them for the guest. */
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  readonly userNamespace: UserNamespace;
  readonly permitted: CapabilityBits;
  readonly effective: CapabilityBits;
  readonly inheritable: CapabilityBits;
  readonly bounding: CapabilityBits;
  readonly ambient: CapabilityBits;
  readonly securebits: number;
  readonly noNewPrivs: boolean;
}

/** What everybody has who can do everything. */
const ALL_POWERFUL = {
  permitted: ALL_CAPABILITIES,
  effective: ALL_CAPABILITIES,
  inheritable: 0n,
  bounding: ALL_CAPABILITIES,
  ambient: 0n,
  securebits: 0,
} as const;

export function rootCredentials(userNamespace: UserNamespace): Credentials {
  const ids = { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0, groups: [] };
  return { ...ids, userNamespace, ...ALL_POWERFUL, noNewPrivs: false };
}

/** The same ids in another user namespace, where the task can do everything (user_namespaces(7)). */
export function newNamespaceCredentials(old: Credentials, userNamespace: UserNamespace): Credentials {
  return { ...old, userNamespace, ...ALL_POWERFUL };
}

/** True if the credentials hold the capability towards a user namespace (user_namespaces(7), capabilities). */
export function hasCapability(creds: Credentials, capability: number, towards: UserNamespace): boolean {
  for (let at: UserNamespace | null = towards; at; at = at.parent) {
    if (at === creds.userNamespace) return (creds.effective & BIT[capability]!) !== 0n;
    if (at.parent === creds.userNamespace && at.ownerUid === creds.euid) return true;
  }
  return false;
}
