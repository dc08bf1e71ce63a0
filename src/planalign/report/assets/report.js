// Draws the figures, keeps those on the time axis together, sorts tables, changes the theme.
"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const linked = [...document.querySelectorAll(".chart[data-on-time-axis]")];
  const said = document.getElementById("said");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: "reset" };
  const narrow = () => window.innerWidth < 640;

  // Theme: that of the system until the reader chooses.
  const button = document.getElementById("theme");
  const theme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");
  const nameButton = () => {
    button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
  };
  const repaint = () => {
    nameButton();
    for (const chart of document.querySelectorAll(".chart.js-plotly-plot")) {
      const outlined = chart.data.findIndex((trace) => trace.name === data.critical);
      if (outlined >= 0) {
        Plotly.restyle(chart, { "marker.line.color": data.ink[theme()] }, [outlined]);
      }
      Plotly.relayout(chart, { template: data.templates[theme()] });
    }
  };
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    repaint();
  });
  prefersDark.addEventListener("change", () => { if (!root.dataset.theme) repaint(); });
  button.hidden = false;
  nameButton();

  // One time axis: what one figure shows, all show.
  const whole = data.figures.timeline.layout.xaxis.range;
  let following = false;
  const show = (range, except) => {
    following = true;
    const moved = linked.filter((chart) => chart !== except && chart.layout).map((chart) => {
      const axes = Object.keys(chart.layout).filter((key) => key.startsWith("xaxis"));
      return Plotly.relayout(chart, Object.fromEntries(axes.map((key) => [`${key}.range`, [...range]])));
    });
    return Promise.all(moved).finally(() => { following = false; });
  };
  const follow = (chart) => chart.on("plotly_relayout", (change) => {
    const touched = Object.keys(change).some((key) => key.startsWith("xaxis"));
    if (following || !touched) return;
    const wide = Object.keys(change).some((key) => key.endsWith("autorange"));
    show(wide ? whole : chart.layout.xaxis.range, wide ? null : chart);
  });
  const current = () => (linked[0].layout ? linked[0].layout.xaxis.range : whole);
  const moves = {
    all: () => whole,
    in: ([from, to]) => [from + (to - from) / 4, to - (to - from) / 4],
    out: ([from, to]) => [Math.max(whole[0], from - (to - from) / 2), Math.min(whole[1], to + (to - from) / 2)],
    earlier: ([from, to]) => { const by = Math.min((to - from) / 2, from - whole[0]); return [from - by, to - by]; },
    later: ([from, to]) => { const by = Math.min((to - from) / 2, whole[1] - to); return [from + by, to + by]; },
  };
  for (const tool of document.querySelectorAll("[data-move]")) {
    tool.addEventListener("click", () => {
      const range = moves[tool.dataset.move](current());
      show(range, null);
      said.textContent = `Showing ${range[0].toFixed(2)} to ${range[1].toFixed(2)} seconds`;
    });
  }

  // A card leads to the bars of its model.
  const barsOf = (model, year) => {
    const found = [];
    for (const trace of data.figures.timeline.data) {
      (trace.customdata || []).forEach((about, place) => {
        if (about[0] === model && trace.base && (year === null || about[1] === year)) {
          found.push({ start: trace.base[place], seconds: trace.x[place], lane: trace.y[place], year: about[1] });
        }
      });
    }
    return found;
  };
  for (const link of document.querySelectorAll("[data-model]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const year = link.dataset.year ? Number(link.dataset.year) : null;
      const bars = barsOf(link.dataset.model, year);
      const chart = document.getElementById("timeline");
      document.getElementById("time").scrollIntoView({ block: "start" });
      if (!bars.length || !chart.layout) return;
      const longest = bars.reduce((a, b) => (b.seconds > a.seconds ? b : a));
      const about = Math.max(longest.seconds, (whole[1] - whole[0]) / 400);
      const range = [Math.max(whole[0], longest.start - about), Math.min(whole[1], longest.start + longest.seconds + about)];
      const frame = {
        name: "found", type: "rect", xref: "x", yref: "y", x0: longest.start, x1: longest.start + longest.seconds,
        y0: longest.lane - 0.46, y1: longest.lane + 0.46, line: { color: "#D55E00", width: 4 },
      };
      const kept = (chart.layout.shapes || []).filter((shape) => shape.name !== "found");
      Plotly.relayout(chart, { shapes: [...kept, frame] }).then(() => show(range, null));
      said.textContent = `${link.dataset.model}${longest.year === null ? "" : ` of ${longest.year}`}: ` +
        `${longest.seconds.toFixed(3)} seconds, from ${longest.start.toFixed(2)} seconds on`;
      chart.closest("figure").focus({ preventScroll: true });
    });
  }

  // Tables sort by what a cell says, or by its bare value where there is one.
  const valueOf = (row, place) => {
    const cell = row.cells[place];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return text === "" ? null : isNaN(text) ? text : Number(text);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [valueOf(a, place), valueOf(b, place)];
        if (x === null || y === null) return (x === null) - (y === null); // unknown is last
        const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    }));
  }

  // A legend takes as many lines as the width makes it; the figure grows by them, and the
  // part for the data keeps its height.
  const fit = async (chart) => {
    const legend = chart.querySelector(".legend .bg");
    if (!legend) return;
    const wanted = Math.ceil(legend.getBoundingClientRect().height) + 8;
    const base = data.figures[chart.id].layout;
    if (wanted <= base.margin.t) return;
    const more = wanted - base.margin.t;
    await Plotly.relayout(chart, { height: base.height + more, "margin.t": base.margin.t + more });
  };

  // Figures are drawn one after another behind the first paint, so that the page is there at once.
  const draw = async (chart) => {
    const figure = data.figures[chart.id];
    const layout = { ...figure.layout, template: data.templates[theme()] };
    const outlined = figure.data.find((trace) => trace.name === data.critical);
    if (outlined) outlined.marker.line.color = data.ink[theme()];
    if (narrow()) layout.margin = { ...layout.margin, l: 58, r: 8 };
    await Plotly.newPlot(chart, figure.data, layout, config);
    await fit(chart);
    if (chart.hasAttribute("data-on-time-axis")) follow(chart);
    await new Promise((done) => setTimeout(done));
  };
  const begin = async () => {
    for (const chart of document.querySelectorAll(".chart")) await draw(chart);
    root.dataset.ready = "";
  };
  requestAnimationFrame(() => setTimeout(begin));
})();
