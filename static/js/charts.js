// Charts. A part carries its figure:  <script type="application/json" data-figure="tally-plot">{data, layout, config}</script>
// and the chart  <div class="chart-plot" id="tally-plot"></div>  lies outside every pushed part, so it is redrawn in place.
"use strict";
(() => {
  if (!window.Plotly) return;
  const drawn = new Map(); // id of the plot -> the JSON last drawn there, in the theme's colours

  // A token is light-dark(...) until something uses it: a probe element resolves it to rgb().
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const resolved = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const themed = (value, known) => {
    if (typeof value === "string") {
      if (!value.startsWith("token:")) return value;
      if (!known.has(value)) known.set(value, resolved(value.slice(6)));
      return known.get(value);
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, known));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item, known)]));
    return value;
  };
  const draw = (source) => {
    const plot = document.getElementById(source.dataset.figure);
    if (!plot || plot.hidden || !plot.offsetWidth) return; // a hidden plot has no width: drawn when it is shown
    const figure = themed(JSON.parse(source.textContent), new Map());
    const text = JSON.stringify(figure);
    if (drawn.get(plot.id) === text && plot.data) return;
    drawn.set(plot.id, text);
    plot.style.minHeight = `${figure.layout.height}px`;
    window.Plotly.react(plot, figure.data, figure.layout, figure.config);
  };
  const drawAll = () => document.querySelectorAll("script[data-figure]").forEach(draw);

  document.addEventListener("htmx:wsAfterMessage", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("theme:changed", drawAll);
  document.addEventListener("charts:resize", () => {
    drawAll();
    document.querySelectorAll(".chart-plot.js-plotly-plot").forEach((plot) => plot.offsetWidth && window.Plotly.Plots.resize(plot));
  });
  addEventListener("resize", drawAll);

  drawAll();
})();
