/** Vite's `import.meta.glob`: in the built program the files that fit the pattern stand in place of the call, by path. */
interface ImportMeta {
  readonly glob: <File>(
    pattern: string | readonly string[],
    options: { readonly eager: true; readonly import: 'default' },
  ) => Record<string, File>;
}
