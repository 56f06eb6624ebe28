/** Texts for the window: pure functions over resources/locales, without the schemas that check the files. */
export { type ErrorText, errorText, type Locale, stepText } from '../../app/station/texts.ts';
