import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{abi,emulator,kernel,machine,cli}/**/*.test.ts", "tests/**/*.test.ts"],
    // Each machine reserves its RAM; two at a time are enough for two processors.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
