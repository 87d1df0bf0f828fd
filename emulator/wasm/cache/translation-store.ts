/**
 * Where an engine keeps translations between runs: on disk in Node, in the browser's storage. Keys are short names of
 * letters, digits and dashes; values mean something to the engine only. A store that fails is a store that is empty.
 */
export interface TranslationStore {
  get(key: string): Uint8Array | undefined;
  put(key: string, value: Uint8Array): void;
}
