/**
 * How many test files run at a time, and the variable with their screens' names. Each has a screen to itself, because of all
 * windows on a screen only one has the keyboard.
 */

export const SIDE_BY_SIDE = 3;
export const SCREENS_VARIABLE = 'KAIKA_TEST_SCREENS';
