/** A plot on two logarithmic axes as SVG, for bench/scaling.mjs. */

const WIDTH = 860;
const HEIGHT = 460;
const PLOT = { left: 70, right: 560, top: 40, bottom: 400 };
const COLOURS = "#4477aa #ee6677 #228833 #ccbb44 #66ccee #aa3377 #888888 #ee7733 #0077bb #009988 #cc3311".split(" ");

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** @param curves name and cost in µs for each of `crowds` */
export function drawPlot(crowds, curves) {
  const all = curves.flatMap(({ costs }) => costs);
  const [low, high] = [Math.floor(Math.log10(Math.min(...all))), Math.ceil(Math.log10(Math.max(...all)))];
  const [first, last] = [Math.log10(crowds[0]), Math.log10(crowds.at(-1))];
  const x = (crowd) => PLOT.left + ((Math.log10(crowd) - first) / (last - first)) * (PLOT.right - PLOT.left);
  const y = (cost) => PLOT.bottom - ((Math.log10(cost) - low) / (high - low)) * (PLOT.bottom - PLOT.top);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${PLOT.left}" y="22" font-size="15">Cost of one operation with so many other live tasks</text>`,
  ];
  for (let power = low; power <= high; power++) {
    const at = y(10 ** power).toFixed(1);
    parts.push(`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="#ddd"/>`);
    parts.push(`<text x="${PLOT.left - 8}" y="${at}" text-anchor="end" dy="4">${label(power)}</text>`);
  }
  for (const crowd of crowds) {
    const at = x(crowd).toFixed(1);
    parts.push(`<line x1="${at}" x2="${at}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="#ddd"/>`);
    parts.push(`<text x="${at}" y="${PLOT.bottom + 20}" text-anchor="middle">${crowd.toLocaleString("en")}</text>`);
  }
  const middle = (PLOT.left + PLOT.right) / 2;
  parts.push(
    `<text x="${middle}" y="${PLOT.bottom + 42}" text-anchor="middle">live tasks besides the two at work</text>`,
  );
  // Where a curve would be that grows with the tasks.
  const [from, to] = [10 ** low, 10 ** low * (crowds.at(-1) / crowds[0])];
  parts.push(
    `<line x1="${x(crowds[0])}" y1="${y(from)}" x2="${x(crowds.at(-1))}" y2="${y(to)}" stroke="#999" stroke-dasharray="5 5"/>`,
  );
  curves.forEach(({ name, costs }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const points = costs.map((cost, at) => `${x(crowds[at]).toFixed(1)},${y(cost).toFixed(1)}`);
    parts.push(`<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(",");
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`);
    }
    const row = PLOT.top + 10 + index * 22;
    parts.push(`<rect x="${PLOT.right + 22}" y="${row - 9}" width="14" height="4" fill="${colour}"/>`);
    parts.push(`<text x="${PLOT.right + 42}" y="${row}">${escape(name)}</text>`);
  });
  const row = PLOT.top + 10 + curves.length * 22;
  parts.push(
    `<line x1="${PLOT.right + 20}" x2="${PLOT.right + 38}" y1="${row - 5}" y2="${row - 5}" stroke="#999" stroke-dasharray="5 5"/>`,
  );
  parts.push(`<text x="${PLOT.right + 42}" y="${row}">as steep as the number of tasks</text>`);
  return `${parts.join("\n")}\n</svg>\n`;
}

const label = (power) =>
  power >= 3 ? `${10 ** (power - 3)} ms` : power >= 0 ? `${10 ** power} µs` : `${10 ** power} µs`;
