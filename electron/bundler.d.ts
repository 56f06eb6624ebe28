/** What the bundler puts in place of this call: the files that fit the pattern, by path. */
interface ImportMeta {
  readonly glob: <File>(
    pattern: string | readonly string[],
    options: { readonly eager: true; readonly import: 'default' },
  ) => Record<string, File>;
}
