/** The import rules of docs/architecture.md, kept by lint. A rule that stands in the way is changed there first. */
const PURE = '^app/(card|globalplatform|dialects|catalogue|protocol|texts)/';

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
      to: {
        path: '^node_modules/(react|react-dom|react-aria|react-aria-components|react-stately|@react-[^/]+/[^/]+|zustand)/',
      },
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
      comment:
        'zod validates at the border, fflate opens CAP archives in memory, intl-messageformat says texts.',
      severity: 'error',
      from: { path: PURE },
      to: { path: '^node_modules/', pathNot: '^node_modules/(zod|fflate|intl-messageformat)/' },
    },
    {
      name: 'dialects-are-asked-by-interface',
      comment: 'Which dialect an app speaks, its rule says. The vault has a part of each.',
      severity: 'error',
      from: {
        path: '^(app|electron|renderer|scripts)/',
        pathNot:
          '^app/(dialects/((registry|counter)\\.ts$|[^/]+/)|keyserver/vault/(operations/|registry\\.ts$))',
      },
      to: { path: '^app/dialects/[^/]+/' },
    },
    {
      name: 'dialects-know-no-other-dialect',
      severity: 'error',
      from: { path: '^app/dialects/([^/]+)/' },
      to: { path: '^app/dialects/(?!$1/)[^/]+/' },
    },
    {
      name: 'dialects-stand-below-the-catalogue',
      comment: 'The catalogue reads rules with them, so they cannot read the catalogue.',
      severity: 'error',
      from: { path: '^app/dialects/' },
      to: { path: '^app/catalogue/' },
    },
    {
      name: 'issuer-decides-only',
      comment: 'Store, HTTP and vault come to it as values and ports.',
      severity: 'error',
      from: { path: '^app/keyserver/issuer/' },
      to: { path: '^app/keyserver/(?!issuer/)' },
    },
    {
      name: 'deciding-files-do-no-io',
      comment: 'They call themselves pure: node:crypto computes, everything else of Node is an effect.',
      severity: 'error',
      from: {
        path: '^app/keyserver/(issuer/|vault/supervisor-machine\\.ts$|vault/process/token/opening\\.ts$|recovery/rescue\\.ts$)',
      },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'deciding-files-packages',
      severity: 'error',
      from: {
        path: '^app/keyserver/(issuer/|vault/supervisor-machine\\.ts$|vault/process/token/opening\\.ts$|recovery/rescue\\.ts$)',
      },
      to: { path: '^node_modules/', pathNot: '^node_modules/zod/' },
    },
    {
      name: 'station-never-imports-keyserver',
      severity: 'error',
      from: { path: '^(app/station|electron|renderer)/' },
      to: { path: '^app/keyserver/' },
    },
    {
      name: 'station-builds-no-key-command',
      comment: 'The client only forwards; it holds no card key and builds no card command but the look.',
      severity: 'error',
      from: { path: '^app/station/' },
      to: { path: '^app/(globalplatform|dialects)/', pathNot: '^app/dialects/counter\\.ts$' },
    },
    {
      name: 'station-machines-are-pure',
      comment:
        'What a job or a reader does next is computed; only the runners beside the machines touch card, disk, line and clock.',
      severity: 'error',
      from: { path: '^app/station/(jobs|readers)/machine/' },
      to: {
        path: '^app/|^node_modules/',
        pathNot: '^app/(card|catalogue|protocol)/|^app/station/(jobs|readers)/machine/|^node_modules/zod/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'station-machines-do-no-io',
      severity: 'error',
      from: { path: '^app/station/(jobs|readers)/machine/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'readers-know-no-jobs',
      comment: 'Readers get their work from a source, whatever that is.',
      severity: 'error',
      from: { path: '^app/station/readers/' },
      to: { path: '^app/station/(jobs|server|headless)/' },
    },
    {
      name: 'server-line-knows-no-jobs',
      comment: 'How the server is reached has nothing to do with what is said.',
      severity: 'error',
      from: { path: '^app/station/server/' },
      to: { path: '^app/station/(jobs|readers|headless)/' },
    },
    {
      name: 'pcsc-is-behind-the-reader-port',
      comment:
        'Only what composes a station opens real readers; the thread pool is widened before anything else starts.',
      severity: 'error',
      from: {
        path: '^(app|electron|renderer)/',
        pathNot: '^app/station/readers/pcsc/|^app/station/open-station\\.ts$|^app/demo/main\\.ts$',
      },
      to: { path: '^app/station/readers/pcsc/' },
    },
    {
      name: 'station-calls-foreign-functions-in-pcsc-only',
      severity: 'error',
      from: { path: '^app/station/', pathNot: '^app/station/readers/pcsc/' },
      to: { path: '^node_modules/koffi/' },
    },
    {
      name: 'station-keeps-its-files-in-two-places',
      comment: 'The journal, and the lock that keeps a second station out of its folder.',
      severity: 'error',
      from: {
        path: '^(app|electron|renderer)/',
        pathNot: '^app/station/(jobs/journal/|lock\\.ts$)',
      },
      to: { path: '^node_modules/libsql/' },
    },
    {
      name: 'keyserver-never-imports-station',
      severity: 'error',
      from: { path: '^app/keyserver/' },
      to: { path: '^app/station/' },
    },
    {
      name: 'http-is-spoken-in-one-file',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/keyserver/api/server\\.ts$' },
      to: { path: '^node_modules/fastify/' },
    },
    {
      name: 'log-lines-are-written-in-one-file',
      comment: 'It knows what may stand in a line; a second writer would not.',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/keyserver/log\\.ts$' },
      to: { path: '^node_modules/pino/' },
    },
    {
      name: 'figures-are-kept-in-one-file',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/keyserver/operations/metrics\\.ts$' },
      to: { path: '^node_modules/prom-client/' },
    },
    {
      name: 'command-lines-are-read-at-the-door',
      comment:
        'What was typed is read where a program begins; the rooms behind it get values and know no command line.',
      severity: 'error',
      from: {
        path: '^(app|electron|renderer)/',
        pathNot: '^app/(keyserver/cli/program(-people)?|demo/options|simulator/cli/options)\\.ts$',
      },
      to: { path: '^node_modules/commander/' },
    },
    {
      name: 'api-knows-no-tables',
      comment:
        "It asks the rooms behind it; of the store it knows what a database's error means, and no more.",
      severity: 'error',
      from: { path: '^app/keyserver/api/' },
      to: { path: '^app/keyserver/store/', pathNot: '^app/keyserver/store/faults\\.ts$' },
    },
    {
      name: 'endpoints-are-thin',
      comment: 'An endpoint says who may and hands on; what is decided is decided in the rooms.',
      severity: 'error',
      from: { path: '^app/keyserver/api/endpoints/' },
      to: { path: '^app/keyserver/(store|vault|issuer|audit|keys)/' },
    },
    {
      name: 'access-stands-on-store-and-audit',
      severity: 'error',
      from: { path: '^app/keyserver/access/' },
      to: {
        path: '^app/keyserver/',
        pathNot: '^app/keyserver/(access|store|audit)/|^app/keyserver/limits\\.ts$',
      },
    },
    {
      name: 'rooms-know-no-doors',
      comment: 'What comes in by the wire or by the terminal is the same work: the rooms know neither.',
      severity: 'error',
      from: { path: '^app/keyserver/', pathNot: '^app/keyserver/((api|cli)/|serve\\.ts$|main\\.ts$)' },
      to: { path: '^app/keyserver/(api|cli)/' },
    },
    {
      name: 'only-the-vault-process-knows-pkcs11',
      comment: 'A module of PKCS#11 is foreign native code, and a software token has every key in memory.',
      severity: 'error',
      from: { path: '^(app|electron|renderer)/', pathNot: '^app/keyserver/vault/process/' },
      to: { path: '^node_modules/(graphene-pk11|pkcs11js)/' },
    },
    {
      name: 'server-calls-native-code-in-the-vault-process-only',
      severity: 'error',
      from: { path: '^app/keyserver/', pathNot: '^app/keyserver/vault/process/' },
      to: { path: '^node_modules/koffi/' },
    },
    {
      name: 'vault-process-stands-apart',
      comment: 'The registry alone names what runs there, and loads it in that process only.',
      severity: 'error',
      from: { pathNot: '^test/|^app/keyserver/vault/(process/|registry\\.ts$)' },
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
        path: '^app/keyserver/vault/(admin-operations|bytes-schema|call-queue|messages|operation|registry|supervisor|supervisor-machine|vault-child)\\.ts$',
      },
    },
    {
      name: 'vault-is-administered-at-the-terminal',
      comment: 'No caller of the API makes, moves or destroys a master key.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/(keyserver/(cli|vault)/|demo/)' },
      to: { path: '^app/keyserver/vault/admin\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'vault-knows-no-server',
      comment: "Its process trusts the server least, so none of the server's code runs there.",
      severity: 'error',
      from: { path: '^app/keyserver/vault/' },
      to: { path: '^app/(?!card/|dialects/|keyserver/vault/)' },
    },
    {
      name: 'sql-stands-in-the-store',
      comment:
        'Queries are functions of app/keyserver/store; .lint/sql-stands-in-the-store.grit finds those that need no import.',
      severity: 'error',
      from: { path: '^app/', pathNot: '^app/keyserver/store/' },
      to: { path: '^node_modules/(kysely|pg|better-sqlite3)/' },
    },
    {
      name: 'store-is-below-the-rooms',
      comment:
        'The store holds the values of the issuer and knows no rule of those who use it: types, and the schemas by which it reads them back.',
      severity: 'error',
      from: { path: '^app/keyserver/store/' },
      to: {
        path: '^app/keyserver/',
        pathNot:
          '^app/keyserver/(store/|error-code\\.ts$|issuer/(state|domain-keys|card-state-schema|ground-schema|set-aside-stored)\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'store-holds-values-of-the-issuer-only',
      severity: 'error',
      from: { path: '^app/keyserver/store/' },
      to: { path: '^app/keyserver/', pathNot: '^app/keyserver/((store|issuer)/|error-code\\.ts)' },
    },
    {
      name: 'audit-is-on-the-ground-floor',
      comment: 'Everybody writes what they have to answer for; the log must not need them.',
      severity: 'error',
      from: { path: '^app/keyserver/audit/' },
      to: { path: '^app/keyserver/', pathNot: '^app/keyserver/(audit|store)/' },
    },
    {
      name: 'records-only-read',
      comment: 'What is read must not depend on how it is written.',
      severity: 'error',
      from: { path: '^app/keyserver/records/' },
      to: { path: '^app/keyserver/', pathNot: '^app/keyserver/(records|store|issuer)/' },
    },
    {
      name: 'recovery-knows-no-job-service',
      comment: 'Receipts, rescue and release work on the store; a step only makes and seals a receipt.',
      severity: 'error',
      from: { path: '^app/keyserver/recovery/' },
      to: { path: '^app/keyserver/(jobs|records|keys|api|cli|operations)/' },
    },
    {
      name: 'keys-know-no-jobs',
      comment: 'Versions of keys are decided by people; jobs ask which is active.',
      severity: 'error',
      from: { path: '^app/keyserver/keys/' },
      to: { path: '^app/keyserver/(jobs|records|recovery|api|cli|operations)/' },
    },
    {
      name: 'jobs-know-no-face',
      comment: 'The job service is called by the API and tells nobody how it was called.',
      severity: 'error',
      from: { path: '^app/keyserver/jobs/' },
      to: { path: '^app/keyserver/(records|api|cli|operations)/' },
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
      to: { path: '^(app/(?!texts/(?!schema))|electron/(?!ipc-schema))', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'renderer-sees-what-the-schema-sends',
      comment:
        'Types too: what it is sent is said by the IPC schema, texts and catalogue, and by nothing else.',
      severity: 'error',
      from: { path: '^renderer/', pathNot: '^renderer/mock/' },
      to: { path: '^(app/(?!catalogue/|texts/(?!schema))|electron/(?!ipc-schema))' },
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
        path: '^(electron/(?!ipc-schema)|app/(?!protocol/)|renderer/|node_modules/(?!zod/))',
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
      to: { path: '^(electron/(?!ipc-schema)|app/(keyserver|station|simulator|demo)/|test/|scripts/)' },
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
