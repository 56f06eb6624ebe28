/** Guilloche, the fine turned lines of bank notes: rings of waves, each drawn several times a little further on. */
import css from './Rosette.module.css';

const POINTS = 240;

interface Ring {
  readonly radius: number;
  readonly depth: number;
  readonly waves: number;
  readonly lines: number;
}

const RINGS: readonly Ring[] = [
  { radius: 88, depth: 13, waves: 16, lines: 9 },
  { radius: 62, depth: 14, waves: 12, lines: 9 },
  { radius: 37, depth: 11, waves: 8, lines: 8 },
  { radius: 18, depth: 8, waves: 6, lines: 6 },
];

function line({ radius, depth, waves, lines }: Ring, at: number): string {
  const turn = (2 * Math.PI * at) / lines;
  const points = Array.from({ length: POINTS }, (_, i) => {
    const angle = (2 * Math.PI * i) / POINTS;
    const r = radius + depth * Math.sin(waves * angle + turn);
    return `${(r * Math.cos(angle)).toFixed(1)} ${(r * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${points.join('L')}Z`;
}

const LINES = RINGS.flatMap((ring) => Array.from({ length: ring.lines }, (_, at) => line(ring, at)));

export function Rosette({ className = '' }: { readonly className?: string | undefined }) {
  return (
    <svg
      aria-hidden="true"
      className={`${css['rosette']} ${className}`}
      viewBox="-104 -104 208 208"
      fill="none"
    >
      <path d={LINES.join('')} stroke="currentColor" strokeWidth="0.4" />
    </svg>
  );
}
