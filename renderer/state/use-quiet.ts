/** Whether nothing has come of something for a while: whoever waits is told whom for. */
import { useEffect, useState } from 'react';

/** True once `view` has been the same value for so many milliseconds. */
export function useQuiet(view: object, milliseconds: number): boolean {
  const [quiet, setQuiet] = useState<object | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(view), milliseconds);
    return () => clearTimeout(timer);
  }, [view, milliseconds]);
  return quiet === view;
}
