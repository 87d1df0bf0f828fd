import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["build/", "bin/", ".private/", "node_modules/", "docs/reference/"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      // Kernel and engine code indexes arrays in hot loops after checking the bounds itself.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      // A walk up a tree starts at `this`.
      "@typescript-eslint/no-this-alias": "off",
      // Errnos are thrown as they are: no Error, no stack (docs/architecture.md).
      "no-throw-literal": "off",
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    // Nothing but the world object may answer differently in two runs.
    files: ["kernel/**", "abi/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        "Date",
        "performance",
        "process",
        "window",
        "document",
        "setTimeout",
        "crypto",
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: "ask the world's entropy" }],
    },
  },
  {
    files: ["*.js", "*.ts", "scripts/**/*.mjs", "bench/**"],
    rules: { "no-restricted-exports": "off" },
  },
);
