/** A turning ring: something is going on, and words beside it say what. It stands still where the system asks for less motion. */
import css from './Spinner.module.css';

export function Spinner({ size = 24 }: { readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className={css['spinner']}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
    >
      <circle cx="12" cy="12" r="9" stroke="currentColor" strokeOpacity="0.22" strokeWidth="2.5" />
      <path d="M21 12a9 9 0 0 0-9-9" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" />
    </svg>
  );
}
