/** How many windows there are at a time, and where the screens are named: each file has one to itself, since only one window of a screen has the keyboard. */

export const SIDE_BY_SIDE = 2;
export const SCREENS_VARIABLE = 'KAIKA_TEST_SCREENS';
