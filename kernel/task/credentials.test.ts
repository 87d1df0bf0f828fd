/** Capabilities towards user namespaces, and what a change of ids does to them (capabilities(7), user_namespaces(7)). */
import { describe, expect, it } from "vitest";
import { CAP_SYS_ADMIN } from "../../abi/capability.ts";
import { UserNamespace } from "../namespaces/user-namespace.ts";
import { adjustCapabilities } from "./change-ids.ts";
import { ALL_CAPABILITIES, hasCapability, rootCredentials, type Credentials } from "./credentials.ts";

const initial = new UserNamespace(null, 1);
const child = new UserNamespace(initial, 2, 1000, 1000);
const grandchild = new UserNamespace(child, 3, 2000, 2000);
const sibling = new UserNamespace(initial, 4, 1001, 1001);
child.uidMap = [{ inside: 0, outside: 1000, count: 1 }];

const credentials = (changes: Partial<Credentials>): Credentials => ({ ...rootCredentials(initial), ...changes });
const powerless = { permitted: 0n, effective: 0n };

const towards: readonly (readonly [string, Partial<Credentials>, UserNamespace, boolean])[] = [
  ["root towards its own namespace", {}, initial, true],
  ["root towards a descendant", {}, grandchild, true],
  ["anybody without capabilities", { euid: 5, ...powerless }, initial, false],
  ["the owner of a namespace towards it", { euid: 1000, ...powerless }, child, true],
  ["the owner towards a namespace below", { euid: 1000, ...powerless }, grandchild, true],
  ["the owner's namesake of another namespace", { euid: 1001, ...powerless }, child, false],
  ["root inside towards its namespace", { userNamespace: child }, child, true],
  ["root inside towards a namespace below", { userNamespace: child }, grandchild, true],
  ["root inside towards the outside", { userNamespace: child }, initial, false],
  ["root inside towards a sibling", { userNamespace: child }, sibling, false],
];

describe("CAP_SYS_ADMIN is held by", () => {
  it.each(towards)("%s", (_, changes, namespace, holds) => {
    expect(hasCapability(credentials(changes), CAP_SYS_ADMIN, namespace)).toBe(holds);
  });
});

const user = { uid: 7, euid: 7, suid: 7 };
const SECBIT_NO_SETUID_FIXUP = 4;
const SECBIT_KEEP_CAPS = 16;

/** Before, after, and what is left: permitted and effective. */
const changes: readonly (readonly [string, Partial<Credentials>, Partial<Credentials>, bigint, bigint])[] = [
  ["all ids leave root", {}, user, 0n, 0n],
  ["all ids leave root, SECBIT_KEEP_CAPS", { securebits: SECBIT_KEEP_CAPS }, user, ALL_CAPABILITIES, 0n],
  [
    "all ids leave root, SECBIT_NO_SETUID_FIXUP",
    { securebits: SECBIT_NO_SETUID_FIXUP },
    user,
    ALL_CAPABILITIES,
    ALL_CAPABILITIES,
  ],
  ["only the effective id leaves root", {}, { euid: 7 }, ALL_CAPABILITIES, 0n],
  ["the effective id comes back to root", { euid: 7, effective: 0n }, { euid: 0 }, ALL_CAPABILITIES, ALL_CAPABILITIES],
  ["a user stays a user", { ...user, ...powerless }, { euid: 8 }, 0n, 0n],
];

describe("capabilities after a change of ids where", () => {
  it.each(changes)("%s", (_, before, after, permitted, effective) => {
    const old = credentials(before);
    const next = adjustCapabilities(old, { ...old, ...after });
    expect([next.permitted, next.effective]).toEqual([permitted, effective]);
  });
});
