/** The import rules of docs/architecture.md, kept by lint. A rule that stands in the way is changed there first. */
const PURE = '^app/(card|globalplatform|dialects|catalogue|protocol)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'app-is-neither-shell-nor-screen',
      severity: 'error',
      from: { path: '^app/' },
      to: { path: '^(electron|renderer|test|scripts)/' },
    },
    {
      name: 'only-electron-knows-electron',
      severity: 'error',
      from: { pathNot: '^(electron|test/e2e|scripts/electron/stand-in/default-app)/' },
      to: { path: '^node_modules/electron/' },
    },
    {
      name: 'no-react-outside-the-renderer',
      severity: 'error',
      from: { pathNot: '^(renderer|test)/' },
      to: { path: '^node_modules/(react|react-dom|react-aria-components|zustand)/' },
    },
    {
      name: 'pure-folders-do-no-io',
      comment: 'node:crypto computes, it does not reach outside; everything else of Node is an effect.',
      severity: 'error',
      from: { path: PURE },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'pure-folders-import-pure-folders',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^app/', pathNot: PURE },
    },
    {
      name: 'pure-folders-packages',
      comment: 'zod validates at the border, fflate opens CAP archives in memory.',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^node_modules/', pathNot: '^node_modules/(zod|fflate)/' },
    },
    {
      name: 'station-never-imports-keyserver',
      severity: 'error',
      from: { path: '^app/station/' },
      to: { path: '^app/keyserver/' },
    },
    {
      name: 'station-builds-no-key-command',
      comment: 'The client only forwards; it holds no card key and builds no card command but the look.',
      severity: 'error',
      from: { path: '^app/station/' },
      to: { path: '^app/(globalplatform|dialects)/' },
    },
    {
      name: 'keyserver-never-imports-station',
      severity: 'error',
      from: { path: '^app/keyserver/' },
      to: { path: '^app/station/' },
    },
    {
      name: 'only-the-vault-process-knows-pkcs11',
      comment: 'A module of PKCS#11 is foreign native code, and a software token has every key in memory.',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/keyserver/vault/process/' },
      to: { path: '^node_modules/(graphene-pk11|pkcs11js)/' },
    },
    {
      name: 'vault-process-stands-apart',
      comment: 'The registry alone names what runs there, and loads it in that process only.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/keyserver/vault/(process/|registry\\.ts$)' },
      to: { path: '^app/keyserver/vault/process/' },
    },
    {
      name: 'vault-registry-loads-late',
      comment: 'A plain import there would load PKCS#11 into the server; types and import() do not.',
      severity: 'error',
      from: { path: '^app/keyserver/vault/registry\\.ts$' },
      to: { path: '^app/keyserver/vault/process/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'vault-has-one-door',
      comment:
        "What the client is made of is nobody else's; keys, errors and shapes of operations are for all of the server.",
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/keyserver/vault/' },
      to: {
        path: '^app/keyserver/vault/(admin-operations|bytes-schema|call-queue|messages|operation|registry|vault-child)\\.ts$',
      },
    },
    {
      name: 'vault-knows-no-server',
      comment: "Its process trusts the server least, so none of the server's code runs there.",
      severity: 'error',
      from: { path: '^app/keyserver/vault/' },
      to: { path: '^app/(?!card/|dialects/|keyserver/vault/)' },
    },
    {
      name: 'simulator-stands-apart',
      comment: 'The virtual card and the host must not share a mistake.',
      severity: 'error',
      from: { path: '^app/simulator/' },
      to: { path: '^app/(?!simulator/|card/)' },
    },
    {
      name: 'simulator-is-not-for-the-product',
      severity: 'error',
      from: {
        path: '^(app|electron|renderer)/',
        pathNot: '^app/(simulator|demo)/|^app/station/training\\.ts$',
      },
      to: { path: '^app/simulator/' },
    },
    {
      name: 'demo-is-a-composition',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/demo/' },
      to: { path: '^app/demo/' },
    },
    {
      name: 'renderer-knows-types-only',
      comment: 'The mock stands for the rest of the station while screens are looked at; it is in no build.',
      severity: 'error',
      from: { path: '^renderer/', pathNot: '^renderer/mock/' },
      to: { path: '^(app/(?!catalogue/)|electron/(?!ipc-schema))' },
    },
    {
      name: 'features-stand-apart',
      comment: 'What two features share goes to components, state or texts; App puts features together.',
      severity: 'error',
      from: { path: '^renderer/features/([^/]+)/' },
      to: { path: '^renderer/features/', pathNot: '^renderer/features/$1/' },
    },
    {
      name: 'features-know-no-shell',
      severity: 'error',
      from: { path: '^renderer/features/' },
      to: { path: '^renderer/(shell/|mock/|App\\.tsx$|main\\.tsx$)' },
    },
    {
      name: 'shared-parts-know-no-feature',
      severity: 'error',
      from: { path: '^renderer/(components|icons|state|texts)/' },
      to: { path: '^renderer/(features|shell|mock)/' },
    },
    {
      name: 'ipc-schema-is-pure',
      comment: 'It is in every process of the window, the sandboxed ones too.',
      severity: 'error',
      from: { path: '^electron/ipc-schema' },
      to: {
        path: '^(electron/(?!ipc-schema)|app/(?!protocol/|station/texts)|renderer/|node_modules/(?!zod/))',
      },
    },
    {
      name: 'ipc-schema-has-no-node',
      severity: 'error',
      from: { path: '^electron/ipc-schema' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'preload-knows-the-schema-only',
      severity: 'error',
      from: { path: '^electron/preload\\.ts$' },
      to: { path: '.', pathNot: '^(electron/ipc-schema|node_modules/(electron|zod)/)' },
    },
    {
      name: 'engine-process-knows-no-main',
      comment: 'The engine runs without a window, and main is started again without it.',
      severity: 'error',
      from: { path: '^electron/engine/' },
      to: { path: '^(electron/main/|renderer/|node_modules/electron/)' },
    },
    {
      name: 'renderer-has-no-node',
      severity: 'error',
      from: { path: '^renderer/', pathNot: '^renderer/mock/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'mock-is-in-no-build',
      severity: 'error',
      from: { path: '^(app|electron|scripts|renderer/(?!mock/))' },
      to: { path: '^renderer/mock/' },
    },
    {
      name: 'mock-stands-for-the-station',
      comment:
        'It plays what the IPC schema says; with the real engine or main in it, it would be a second station.',
      severity: 'error',
      from: { path: '^renderer/mock/' },
      to: { path: '^(electron/(?!ipc-schema)|app/(keyserver|simulator|demo)/|test/|scripts/)' },
    },
    {
      name: 'tests-are-part-of-nothing',
      severity: 'error',
      from: { path: '^(app|electron|renderer|scripts)/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-test-imports-a-test',
      comment: 'What tests share is in test/support, so that each file runs alone.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.tsx?$' },
    },
    {
      name: 'scripts-import-no-product',
      comment:
        'Scripts are plain JavaScript that any Node from 20 runs; the product is started as a program.',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^(app|electron|renderer)/' },
    },
    {
      name: 'set-up-needs-no-packages',
      comment:
        'It runs before they are there. What is imported while it runs, after the installation, may be one.',
      severity: 'error',
      from: { path: '^scripts/(bootstrap/|electron/(?!stand-in/default-app/)|launch\\.mjs$)' },
      to: { path: '^node_modules/', dynamic: false },
    },
    {
      name: 'set-up-knows-no-build',
      comment: 'Building and packing need the packages; they are started as programs.',
      severity: 'error',
      from: { path: '^scripts/(bootstrap|electron)/' },
      to: { path: '^scripts/(build|dist)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'require', 'default', 'types'],
    },
    moduleSystems: ['es6', 'cjs'],
  },
};
