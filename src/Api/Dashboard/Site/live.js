// Asking again and again, one question at a time, while the page is open and seen.

export function every(milliseconds, signal, ask) {
  let timer = null;
  const next = () => { timer = setTimeout(run, milliseconds); };
  const run = async () => {
    try {
      if (!document.hidden) await ask();
    } finally {
      if (!signal.aborted) next();
    }
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  if (!signal.aborted) next();
}
