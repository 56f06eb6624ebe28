/** Guilloche, the fine turned lines of bank notes: one closed curve, drawn several times a little smaller. */
import css from './Rosette.module.css';

const POINTS = 720;

/** A wave laid around a circle: `petals` crests, `depth` of the radius deep, turned on by `twist` radians. */
function curve(radius: number, petals: number, depth: number, twist: number): string {
  let path = '';
  for (let i = 0; i <= POINTS; i += 1) {
    const angle = (2 * Math.PI * i) / POINTS;
    const r = radius * (1 + depth * Math.sin(petals * angle + twist) * Math.cos(3 * angle));
    const x = (r * Math.cos(angle)).toFixed(2);
    const y = (r * Math.sin(angle)).toFixed(2);
    path += `${i === 0 ? 'M' : 'L'}${x} ${y}`;
  }
  return `${path}Z`;
}

const LINES = Array.from({ length: 18 }, (_, i) => curve(96 - 4.4 * i, 12, 0.16, (i * Math.PI) / 17));

export function Rosette({ className = '' }: { readonly className?: string | undefined }) {
  return (
    <svg
      aria-hidden="true"
      className={`${css['rosette']} ${className}`}
      viewBox="-112 -112 224 224"
      fill="none"
    >
      {LINES.map((d) => (
        <path key={d.slice(0, 24)} d={d} stroke="currentColor" strokeWidth="0.45" />
      ))}
    </svg>
  );
}
