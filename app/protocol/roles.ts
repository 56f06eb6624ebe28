/** What people are at a site. What each may is the server's to say (app/keyserver/access/rights.ts). */
import { z } from 'zod';

export const ROLES = ['operator', 'supervisor', 'site-admin', 'key-custodian', 'auditor'] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;
