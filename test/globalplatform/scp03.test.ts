import { describe, expect, it } from 'vitest';
import { ChannelStateError, ResponseSecurityError } from '../../app/globalplatform/errors.ts';
import { predictCardChallenge } from '../support/globalplatform/static-session-keys.ts';
import { initializeUpdate, parseInitializeUpdate } from './answers.ts';
import type { ChannelSessionKeys, SessionKeyPort } from './channels.ts';
import { CardCryptogramError, ChannelParameterError, deriveSessionKeys, openChannel } from './channels.ts';
import { type Aid, decodeCommand, decodeResponse, fromHex, toAid, toHex } from './commands.ts';
import { type Dialogue, SCP03_DIALOGUES } from './dialogues-scp03.ts';

describe('published SCP03 dialogues', () => {
  it.each(SCP03_DIALOGUES)('$name: every command computed before the first answer', async (dialogue) => {
    const channel = await open(dialogue);
    expect(toHex(channel.externalAuthenticate())).toBe(dialogue.externalAuthenticate);
    const wrapped = dialogue.steps.map((step) => toHex(channel.wrap(decodeCommand(fromHex(step.plain)))));
    expect(wrapped).toEqual(dialogue.steps.map((step) => step.wrapped));
    for (const { answer, opened } of dialogue.steps) {
      if (answer === undefined) break;
      const response = channel.unwrap(decodeResponse(fromHex(answer)));
      expect(toHex(response.data)).toBe(opened);
      expect(response.sw).toBe(0x9000);
    }
  });

  it('INITIALIZE UPDATE has the published bytes', () => {
    expect(initializeUpdate(0x30, fromHex('B13E5F938FC108C4'))).toEqual(
      decodeCommand(fromHex('8050300008B13E5F938FC108C400')),
    );
  });

  it('predicts the challenges of a card that counts', () => {
    // pysim's card: counters 1, 2 and 3 under the same AES-128 keys. Its ISD-R has the AID of SGP.02 §2.2.3.
    const isdR: Aid = toAid('A0000005591010FFFFFFFF8900000100');
    const enc = fromHex(named('pysim, AES-128, level 11').keys.enc);
    const predicted = ['000001', '000002', '000003'].map((counter) =>
      toHex(predictCardChallenge(enc, fromHex(counter), isdR)),
    );
    expect(predicted).toEqual(['30760CD2C47C1DD3', '3EB51047495B249F', '3B1ACA81E821F219']);
  });
});

describe('what an SCP03 channel refuses', () => {
  const level33 = named('pysim, AES-128, level 33');

  it('a card with other keys, and leaves no session key behind', async () => {
    const other = { ...level33, keys: { ...level33.keys, mac: level33.keys.enc } };
    const port = portOf(other);
    await expect(open(other, port)).rejects.toBeInstanceOf(CardCryptogramError);
    expect(port.given.map((keys) => toHex(keys.enc) + toHex(keys.mac) + toHex(keys.rmac))).toEqual([
      '00'.repeat(48),
    ]);
  });

  it('options other than the card type has', async () => {
    await expect(open({ ...level33, i: 0x60 })).rejects.toBeInstanceOf(ChannelParameterError);
    await expect(open({ ...level33, i: 0x40 })).rejects.toBeInstanceOf(ChannelParameterError);
  });

  it('a level that the options do not offer', async () => {
    const level11 = named('securo, AES-128, level 11');
    await expect(open({ ...level11, level: 0x33 })).rejects.toBeInstanceOf(ChannelParameterError);
  });

  it('an answer with one bit changed, and then everything', async () => {
    const channel = await open(level33);
    channel.externalAuthenticate();
    channel.wrap({ cla: 0x80, ins: 0xe2, p1: 0x91, p2: 0, data: fromHex('BF3E035C015A'), le: 256 });
    const answer = fromHex(level33.steps[0]?.answer ?? '');
    answer[3] = (answer[3] ?? 0) ^ 0x01;
    expect(() => channel.unwrap(decodeResponse(answer))).toThrow(ResponseSecurityError);
    expect(() => channel.wrap({ cla: 0x80, ins: 0xca, p1: 0, p2: 0x66 })).toThrow(ChannelStateError);
  });

  it('a success without its MAC, and data with an error; an error alone passes', async () => {
    const one = await open(level33);
    one.externalAuthenticate();
    one.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0, data: fromHex('4F00') });
    expect(() => one.unwrap({ data: new Uint8Array(0), sw: 0x9000 })).toThrow('mac-missing');
    const two = await open(level33);
    two.externalAuthenticate();
    two.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0, data: fromHex('4F00') });
    two.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0, data: fromHex('4F00') });
    expect(two.unwrap({ data: new Uint8Array(0), sw: 0x6a88 })).toEqual({
      data: new Uint8Array(0),
      sw: 0x6a88,
    });
    expect(() => two.unwrap({ data: Uint8Array.of(1), sw: 0x6a88 })).toThrow('unexpected');
  });

  it('commands out of order, too long, protected already, or for another channel', async () => {
    const channel = await open(level33);
    const getData = { cla: 0x80, ins: 0xca, p1: 0, p2: 0x66, le: 256 };
    expect(() => channel.wrap(getData)).toThrow(ChannelStateError);
    channel.externalAuthenticate();
    expect(() => channel.externalAuthenticate()).toThrow(ChannelStateError);
    expect(channel.maximumBlockSize).toBe(239);
    expect(channel.wrap({ ...getData, data: new Uint8Array(239) })).toHaveLength(5 + 248 + 1);
    expect(() => channel.wrap({ ...getData, data: new Uint8Array(240) })).toThrow(RangeError);
    expect(() => channel.wrap({ ...getData, cla: 0x84 })).toThrow(RangeError);
    expect(() => channel.wrap({ ...getData, cla: 0x81 })).toThrow(RangeError);
  });

  it('anything after close, with the session keys wiped', async () => {
    const port = portOf(level33);
    const channel = await open(level33, port);
    channel.externalAuthenticate();
    channel.close();
    channel.close();
    expect(() => channel.wrap({ cla: 0x80, ins: 0xca, p1: 0, p2: 0x66 })).toThrow(ChannelStateError);
    expect(port.given.every((keys) => keys.enc.every((byte) => byte === 0))).toBe(true);
    expect(port.given.every((keys) => keys.mac.every((byte) => byte === 0))).toBe(true);
  });
});

interface Watched extends SessionKeyPort {
  readonly given: ChannelSessionKeys[];
}

function portOf(dialogue: Dialogue): Watched {
  const keys = {
    enc: fromHex(dialogue.keys.enc),
    mac: fromHex(dialogue.keys.mac),
    dek: fromHex(dialogue.keys.dek),
  };
  const given: ChannelSessionKeys[] = [];
  return {
    given,
    sessionKeys: (context) => {
      const session = deriveSessionKeys(keys, context);
      given.push(session);
      return Promise.resolve(session);
    },
  };
}

function open(dialogue: Dialogue, port: SessionKeyPort = portOf(dialogue)) {
  return openChannel(
    {
      scp: '03',
      i: dialogue.i,
      securityLevel: dialogue.level,
      hostChallenge: fromHex(dialogue.hostChallenge),
      response: parseInitializeUpdate(fromHex(dialogue.initializeUpdateAnswer)),
    },
    port,
  );
}

function named(name: string): Dialogue {
  const dialogue = SCP03_DIALOGUES.find((each) => each.name === name);
  if (dialogue === undefined) throw new Error(`no dialogue ${name}`);
  return dialogue;
}
