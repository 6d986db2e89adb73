/** Draws the diagrams of a page in its colours, and again when these change. Without it a diagram is its text. */
const nodes = [...document.querySelectorAll('pre.mermaid')];
const texts = nodes.map((node) => node.textContent);
const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: dark)');

/** Colours of bars that are seen on both backgrounds. */
const xyChart = { backgroundColor: 'transparent', plotColorPalette: '#4a7bd8' };

async function draw() {
  const scheme = root.dataset.theme ?? (system.matches ? 'dark' : 'light');
  for (const [at, node] of nodes.entries()) {
    node.textContent = texts[at];
    node.removeAttribute('data-processed');
  }
  const theme = scheme === 'dark' ? 'dark' : 'neutral';
  globalThis.mermaid.initialize({ startOnLoad: false, theme, themeVariables: { xyChart } });
  await globalThis.mermaid.run({ nodes });
}

new MutationObserver(draw).observe(root, { attributeFilter: ['data-theme'] });
system.addEventListener('change', draw);
await draw();
