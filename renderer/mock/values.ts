/** The demo's catalogue and cards as the window sees them, and builders of views. */
import type {
  CardApp,
  CardHistory,
  CardView,
  CatalogueView,
  JobState,
  JobView,
  ReaderState,
  ReaderView,
  StationView,
  StepView,
} from '../../electron/ipc-schema.ts';

export const CATALOGUE: CatalogueView = {
  apps: [
    {
      id: 'e-wallet',
      name: { 'zh-CN': '电子钱包', en: 'E-wallet' },
      icon: 'wallet',
      purse: true,
      size: 14_336,
      loadable: true,
    },
    {
      id: 'identity',
      name: { 'zh-CN': '身份认证', en: 'Identity' },
      icon: 'identity',
      purse: false,
      size: 7_168,
      loadable: true,
    },
    {
      id: 'campus-meal',
      name: { 'zh-CN': '校园餐卡', en: 'Campus meal' },
      icon: 'meal',
      purse: false,
      size: 22_528,
      loadable: true,
    },
    {
      id: 'transit',
      name: { 'zh-CN': '公共交通', en: 'Transit' },
      icon: 'transit',
      purse: true,
      size: 10_240,
      loadable: true,
    },
  ],
  cardTypes: [
    { id: 'demo-scp03', name: { 'zh-CN': '演示卡', en: 'Demo card' }, managed: true, reserve: 2_048 },
  ],
};

export const READER = 'ACS ACR39U ICC Reader 00 00';
export const NUMBER = '6217001234567890';
export const ACCOUNT = '6222021234567893';
/** A fixed moment, so that pictures of the same state are the same. */
export const MOMENT = '2026-11-23T10:32:00.000Z';

export function card(apps: readonly CardApp[] = FRESH, more: Partial<CardView> = {}): CardView {
  return { type: 'demo-scp03', number: NUMBER, freeMemory: 48_256, apps: [...apps], ...more };
}

export const FRESH: readonly CardApp[] = [
  { app: 'e-wallet', state: 'installed', balance: 0 },
  { app: 'identity', state: 'installed' },
  { app: 'campus-meal', state: 'missing' },
  { app: 'transit', state: 'installed', balance: 0 },
];

export const USED: readonly CardApp[] = [
  { app: 'e-wallet', state: 'enabled', balance: 12_850 },
  { app: 'identity', state: 'enabled' },
  { app: 'campus-meal', state: 'missing' },
  { app: 'transit', state: 'installed', balance: 0 },
];

export const ODD: readonly CardApp[] = [
  { app: 'e-wallet', state: 'enabled', balance: 0 },
  { app: 'identity', state: 'unread' },
  { app: 'campus-meal', state: 'missing' },
  { app: 'transit', state: 'unforeseen' },
];

export const FOREIGN: CardView = {
  type: null,
  code: 'unknown-card',
  number: null,
  freeMemory: null,
  apps: [],
};

export function reader(state: ReaderState, name: string = READER): ReaderView {
  return { name, state };
}

export function job(
  state: JobState,
  more: Partial<JobView> & { readonly steps?: readonly StepView[]; readonly sent?: number } = {},
): JobView {
  const { steps = STEPS, sent = 52, ...rest } = more;
  return {
    id: 'job-1',
    reader: READER,
    card: NUMBER,
    created: MOMENT,
    wishes: [{ app: 'e-wallet', action: 'enable' }],
    progress: {
      steps: [...steps],
      current: { step: 'load-block', app: 'campus-meal' },
      sent,
      commands: 100,
    },
    state,
    ...rest,
  };
}

export const STEPS: readonly StepView[] = [
  { kind: 'enable', app: 'e-wallet', state: 'done' },
  { kind: 'load', app: 'campus-meal', state: 'running' },
  { kind: 'enable', app: 'campus-meal', state: 'waiting' },
  { kind: 'delete', app: 'transit', state: 'waiting' },
];

export function station(more: Partial<StationView> = {}): StationView {
  return {
    engine: { kind: 'running' },
    service: { kind: 'running' },
    server: { state: 'up', lastSeen: MOMENT },
    operator: { id: 'li.na', name: '李娜', expires: '2026-11-23T18:00:00.000Z' },
    readers: [reader({ kind: 'empty' })],
    jobs: [],
    ...more,
  };
}

export const HISTORY: CardHistory = {
  number: NUMBER,
  type: 'demo-scp03',
  account: ACCOUNT,
  issued: true,
  setAside: null,
  jobs: [
    {
      name: '李娜',
      confirmedBy: [],
      station: '中山路支行 3 号',
      reader: READER,
      started: '2026-11-20T14:05:00.000Z',
      ended: '2026-11-20T14:05:09.000Z',
      result: 'partial',
      apps: [
        { app: 'identity', before: 'installed', after: 'enabled' },
        { app: 'campus-meal', before: 'missing', after: 'missing', error: 'load-failed' },
      ],
      deleted: [],
    },
    {
      name: '王强',
      confirmedBy: ['赵敏'],
      station: '人民路支行 1 号',
      reader: READER,
      started: '2026-09-02T09:41:00.000Z',
      ended: '2026-09-02T09:41:06.000Z',
      result: 'complete',
      apps: [
        { app: 'e-wallet', before: 'installed', after: 'enabled' },
        { app: 'transit', before: 'enabled', after: 'missing' },
      ],
      deleted: ['transit'],
    },
    {
      name: '王强',
      confirmedBy: [],
      station: '人民路支行 1 号',
      reader: READER,
      started: '2026-09-02T09:38:00.000Z',
      ended: '2026-09-02T09:38:04.000Z',
      result: 'refused',
      apps: [],
      deleted: [],
    },
  ],
};
