// Draws the Plotly figures of a page in the page's own colours, and again when the colour scheme changes.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--wb-${name}`).trim();
  const dressed = (layout) => {
    const look = structuredClone(layout);
    const base = ((look.template ??= {}).layout ??= {});
    Object.assign(base, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" });
    base.font = { ...base.font, color: colour("ink"), family: getComputedStyle(document.body).fontFamily };
    base.colorway = ["accent", "series-2", "series-3", "series-4", "positive", "negative"].map(colour);
    base.hoverlabel = { ...base.hoverlabel, bgcolor: colour("surface"), bordercolor: colour("grid") };
    for (const axis of ["xaxis", "yaxis"]) {
      base[axis] = {
        ...base[axis],
        gridcolor: colour("grid"), linecolor: colour("faint"), zerolinecolor: colour("faint"),
        tickfont: { color: colour("muted") },
      };
    }
    delete look.width;
    return look;
  };
  const figures = [...document.querySelectorAll(".wb-plotly")].map((figure) => ({
    place: figure.querySelector("div"),
    content: JSON.parse(figure.querySelector("script").textContent),
  }));
  const draw = () => {
    for (const { place, content } of figures) {
      Plotly.react(place, structuredClone(content.data), dressed(content.layout), { responsive: true, displaylogo: false });
    }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
