/** What a native FMCOS card keeps: a master file and applications below it, no GlobalPlatform. */
import { z } from 'zod';
import { fmcosSchema } from '../image.ts';

const bytes = z.string().regex(/^(?:[0-9A-F]{2})+$/);

const directory = z.object({
  /** Two bytes: 3F00 the master file. */
  fileId: z.string().regex(/^[0-9A-F]{4}$/),
  /** DF name, 1 to 16 bytes. */
  name: z.string().regex(/^(?:[0-9A-F]{2}){1,16}$/),
  state: fmcosSchema,
});

/** Schema of a native card's image. */
export const nativeImageSchema = z.object({
  format: z.literal('native 1'),
  type: z.string().min(1),
  atr: bytes,
  identificationCode: z.string().regex(/^\d{16}$/),
  /** The master file first. */
  directories: z.array(directory).min(1),
});

/** A native card's image; mutable, so that one command can work on its own copy. It holds keys in clear. */
export type NativeImage = z.infer<typeof nativeImageSchema>;
/** The master file, or an application below it. */
export type Directory = z.infer<typeof directory>;
