"use strict";
// What pages of reports and of live runs have in common. Text goes in as text, never as markup.
const $ = (id) => document.getElementById(id);

const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const drawn = (name, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
};

// A duration with its unit and four significant digits: 20.17 ms.
const duration = (nanoseconds) => {
  if (nanoseconds === null || nanoseconds === undefined) return "–";
  const [scale, unit] = nanoseconds < 1e3 ? [1, "ns"] : nanoseconds < 1e6 ? [1e3, "µs"] : nanoseconds < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  const value = nanoseconds / scale;
  return value.toFixed(scale === 1 ? 0 : value < 10 ? 3 : value < 100 ? 2 : 1) + " " + unit;
};

// A duration for a scale: 20 ms.
const shortDuration = (nanoseconds) => nanoseconds === 0 ? "0" : duration(nanoseconds).replace(/\.?0+ /, " ");

// The next round value for the end of a scale, of which the half is round too.
const roundUp = (value) => {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((end) => end >= value * (1 - 1e-9));
};

// The names of series with their colours.
function key(list, series) {
  list.replaceChildren(...series.map((one) => {
    const item = element("li"), swatch = drawn("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" });
    swatch.append(drawn("rect", { class: one.kind, width: 12, height: 12, rx: 2 }));
    item.append(swatch, one.total === undefined ? one.name : `${one.name}: ${one.total}`);
    return item;
  }));
}

// Steps that get a label: whole multiples of a round number, counted from the epoch.
function ticks(steps, room) {
  const count = steps.labels.length, most = Math.max(1, Math.floor(room / 100));
  const stride = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60, 120, 300, 600].find((one) => count / one <= most) ?? count;
  const places = steps.labels.map((_, place) => place).filter((place) => (steps.first + place) % stride === 0);
  return places.length ? places : [0];
}

// Figures over steps of time, as stacked bars or as lines. Each series has a value a step, or null.
//   steps: their labels, and the number of the first; lines, apart: whether it is lines, or bars side by side;
//   format: of values;
//   zoom: called with the first and the last step that were chosen.
function chart(box, { name, steps, series, lines, apart, format, zoom, height = 190 }) {
  const labels = steps.labels;
  if (!labels.length || !series.length) return box.replaceChildren(element("p", "There is nothing to draw.", "empty"));
  const width = Math.max(260, box.clientWidth), left = 62, right = 8, bottom = 24, top = 10;
  const inner = width - left - right, count = labels.length;
  const sums = labels.map((_, place) => lines || apart
    ? Math.max(...series.map((one) => one.values[place] ?? 0)) : series.reduce((sum, one) => sum + one.values[place], 0));
  const highest = Math.max(...sums), end = highest > 0 ? roundUp(highest) : 1;
  const x = (place) => left + inner * place / count;
  const y = (value) => height - bottom - (height - bottom - top) * value / end;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  const most = sums.indexOf(highest);
  svg.setAttribute("aria-label", `${name}, ${labels[0]} to ${labels[count - 1]}; at most ${format(highest)}, at ${labels[most]}`);
  // Half a scale of one attempt is none.
  for (const share of end === 1 ? [0, 1] : [0, 0.5, 1]) {
    svg.append(drawn("line", { class: "axis", x1: left, x2: width - right, y1: y(end * share), y2: y(end * share) }),
      drawn("text", { x: left - 8, y: y(end * share) + 4, "text-anchor": "end" }, format(end * share)));
  }
  for (const place of ticks(steps, inner)) {
    svg.append(drawn("line", { class: "axis", x1: x(place), x2: x(place), y1: height - bottom, y2: height - bottom + 5 }),
      drawn("text", { x: x(place) + 3, y: height - 8 }, labels[place]));
  }
  if (lines) {
    for (const one of series) {
      let path = "", pen = false;
      one.values.forEach((value, place) => {
        if (value === null) return;
        path += `${pen ? "L" : "M"}${x(place + 0.5).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = true;
      });
      svg.append(drawn("path", { class: "line " + one.kind, d: path }));
      if (one.values.filter((value) => value !== null).length < 40) {
        one.values.forEach((value, place) => {
          if (value !== null) svg.append(drawn("circle", { class: one.kind, cx: x(place + 0.5), cy: y(value), r: 2.5 }));
        });
      }
    }
  } else {
    const gap = inner / count > 4 ? 1 : 0, room = (inner / count - gap) / (apart ? series.length : 1), bar = Math.min(60, room);
    labels.forEach((_, place) => {
      let sum = 0;
      series.forEach((one, number) => {
        const value = one.values[place];
        if (!value) return;
        svg.append(drawn("rect", { class: one.kind, x: (x(place) + (apart ? number * bar : 0)).toFixed(2), y: y(sum + value).toFixed(2),
          width: Math.max(0.5, bar).toFixed(2), height: Math.max(0.6, y(sum) - y(sum + value)).toFixed(2) }));
        if (!apart) sum += value;
      });
    });
  }
  labels.forEach((label, place) => {
    if (!sums[place]) return;
    const zone = drawn("rect", { class: "zone", x: x(place), y: top, width: inner / count, height: height - bottom - top });
    const words = series.filter((one) => one.values[place]).map((one) => `${one.name}: ${format(one.values[place])}`);
    zone.append(drawn("title", {}, [label, ...words].join("\n")));
    svg.append(zone);
  });
  if (zoom) brush(svg, zoom, { left, inner, count, top, height: height - bottom - top, width });
  box.replaceChildren(svg);
}

// Lets steps be chosen by dragging over them.
function brush(svg, zoom, { left, inner, count, top, height, width }) {
  let start = null, mark = null;
  const step = (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) * width / box.width - left) / inner * count;
    return Math.max(0, Math.min(count - 1, Math.floor(place)));
  };
  const place = (from, to) => {
    const [first, last] = [Math.min(from, to), Math.max(from, to)];
    mark.setAttribute("x", left + inner * first / count);
    mark.setAttribute("width", inner * (last - first + 1) / count);
    return [first, last];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = step(event);
    mark = drawn("rect", { class: "brush", y: top, height });
    svg.append(mark);
    place(start, start);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => { if (start !== null) place(start, step(event)); });
  svg.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [first, last] = place(start, step(event));
    mark.remove();
    start = null;
    if (last > first) zoom(first, last);
  });
  svg.addEventListener("pointercancel", () => { if (mark) mark.remove(); start = null; });
}

// Failures of servers over time: a row a server, a cell a step.
function grid(box, { steps, servers }) {
  const labels = steps.labels;
  if (!servers.length) return box.replaceChildren(element("p", "No attempt failed.", "empty"));
  const width = Math.max(260, box.clientWidth), left = Math.min(230, Math.max(150, width * 0.24)), line = 20, top = 4;
  const inner = width - left - 8, height = top + servers.length * line + 24, letters = Math.floor(left / 7.2);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.setAttribute("aria-label", "Failures over time: " + servers.map((one) => `${one.name} ${one.failed} of ${one.attempts}`).join("; "));
  const x = (place) => left + inner * place / labels.length;
  servers.forEach((server, row) => {
    const y = top + row * line;
    const name = server.name.length > letters ? "…" + server.name.slice(1 - letters) : server.name;
    const text = drawn("text", { x: left - 8, y: y + 14, "text-anchor": "end" }, name);
    text.append(drawn("title", {}, server.name));
    svg.append(text);
    for (const [place, attempts, failed] of server.cells) {
      const level = failed === 0 ? 0 : Math.min(4, 1 + Math.floor(4 * failed / attempts));
      const cell = drawn("rect", { class: "share" + level, x: x(place).toFixed(2), y: y + 1,
        width: Math.max(1, inner / labels.length - 0.6).toFixed(2), height: line - 2, rx: 1 });
      cell.append(drawn("title", {}, `${server.name}\n${labels[place]}\n${failed} of ${attempts} failed`));
      svg.append(cell);
    }
  });
  for (const place of ticks(steps, inner)) svg.append(drawn("text", { x: x(place), y: height - 6 }, labels[place]));
  const list = element("ul", undefined, "key");
  key(list, [["share0", "none failed"], ["share1", "less than 25 %"], ["share2", "less than 50 %"], ["share3", "less than 75 %"],
    ["share4", "75 % and more"]].map(([kind, name]) => ({ kind, name })));
  box.replaceChildren(svg, list);
}

// How often round trips were how long, on a logarithmic scale. A leg has steps [up to so many ns, count].
function distribution(box, legs) {
  const all = legs.flatMap((leg) => leg.steps);
  if (!all.length) return box.replaceChildren(element("p", "No round trip is known.", "empty"));
  const width = Math.max(260, box.clientWidth), height = 190, left = 62, right = 12, bottom = 24, top = 10, inner = width - left - right;
  const log = (nanoseconds) => Math.log10(Math.max(1, nanoseconds));
  const low = Math.floor(Math.min(...all.map(([end]) => log(end))) * 4 - 1) / 4, high = Math.ceil(Math.max(...all.map(([end]) => log(end))) * 4 + 0.01) / 4;
  const x = (nanoseconds) => left + inner * (log(nanoseconds) - low) / (high - low);
  const most = Math.max(...legs.flatMap((leg) => leg.steps.map(([, count]) => count / leg.count)));
  const y = (share) => height - bottom - (height - bottom - top) * share / most;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.setAttribute("aria-label", "Round trips: " + legs.filter((leg) => leg.count).map((leg) =>
    `${leg.name}, median ${duration(leg.quantiles_ns[0])}, 99 % within ${duration(leg.quantiles_ns[2])}`).join("; "));
  for (const share of [0, 0.5, 1]) {
    svg.append(drawn("line", { class: "axis", x1: left, x2: width - right, y1: y(most * share), y2: y(most * share) }),
      drawn("text", { x: left - 8, y: y(most * share) + 4, "text-anchor": "end" }, (100 * most * share).toFixed(most < 0.1 ? 1 : 0) + " %"));
  }
  const room = inner / (high - low);
  for (let power = Math.floor(low); power <= high; power++) {
    for (const factor of room > 240 ? [1, 2, 5] : room > 120 ? [1, 3] : [1]) {
      const value = factor * 10 ** power;
      if (log(value) < low || log(value) > high) continue;
      svg.append(drawn("line", { class: "axis", x1: x(value), x2: x(value), y1: top, y2: height - bottom }),
        drawn("text", { x: x(value), y: height - 6, "text-anchor": "middle" }, shortDuration(value)));
    }
  }
  const kinds = ["first", "second", "third"];
  legs.forEach((leg, place) => {
    if (!leg.count) return;
    // Bars stand apart: a step is an eighth of a power of two.
    const shift = (place - 1) * 3;
    for (const [end, count] of leg.steps) {
      const bar = drawn("rect", { class: kinds[place], x: (x(end) + shift - 1.5).toFixed(1), y: y(count / leg.count).toFixed(1), width: 3,
        height: (height - bottom - y(count / leg.count)).toFixed(1) });
      bar.append(drawn("title", {}, `${leg.name}: ${count} of ${leg.count} up to ${duration(end)}`));
      svg.append(bar);
    }
  });
  box.replaceChildren(svg);
}

// The ladder diagram of an attempt, of texts, lines and arrows at their places:
// a text is [0, kind, x, y, text], or [1, ...] where x is its end; a line [2, kind, x, y, x, y]; an arrow [3, ...],
// or [4, ...] with a head. Kinds and texts are numbers of `texts`.
function ladder(title, description, height, elements, texts) {
  const svg = drawn("svg", { class: "ladder", viewBox: `0 0 640 ${height}`, role: "img", "aria-label": title });
  svg.append(drawn("desc", {}, description));
  for (const [type, kind, x, y, ...rest] of elements) {
    const marks = texts[kind] ? { class: texts[kind] } : {};
    if (type < 2) {
      svg.append(drawn("text", { ...marks, x, y, ...(type === 1 ? { "text-anchor": "end" } : {}) }, texts[rest[0]]));
    } else if (type === 2) {
      svg.append(drawn("line", { ...marks, x1: x, y1: y, x2: rest[0], y2: rest[1] }));
    } else {
      const back = x < rest[0] ? -9 : 9;
      svg.append(drawn("path", { ...marks, d: `M${x} ${y}L${rest[0]} ${rest[1]}${type === 4 ? `m${back} -5l${-back} 5l${back} 3` : ""}` }));
    }
  }
  return svg;
}

// Sorts a table by a column when its head is pressed: numbers by data-value, what is missing last.
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const falls = head.getAttribute("aria-sort") === "descending" || (column === 0 && !head.hasAttribute("aria-sort"));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falls ? "ascending" : "descending");
    const value = (row) => {
      const cell = row.cells[column], text = cell.dataset.value ?? cell.textContent;
      return cell.dataset.value === undefined ? text : text === "" ? null : Number(text);
    };
    const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = a < b ? -1 : a > b ? 1 : 0;
      return falls ? order : -order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }));
}

// A text with a button that copies it.
function copyable(text) {
  const made = element("p", undefined, "filter"), code = element("code", text), button = element("button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch (error) {
      getSelection().selectAllChildren(code);
      button.textContent = "Chosen: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  made.append(code, button);
  return made;
}

// An attempt as AttemptData.swift writes it.
function readAttempt([id, rank, step, time, client, server, outcome, reason, findings, rtt, mss, filter, title, description, height, elements], texts) {
  return { id, rank, step, time: texts[time], client: texts[client], server: texts[server], outcome: texts[outcome],
    reason: reason === null ? "" : texts[reason],
    findings: findings.map(([code, ...alternatives]) => ({ code: texts[code], alternatives: alternatives.map((text) => texts[text]) })),
    rtt, mss, filter: texts[filter], title: texts[title], description: texts[description], height, elements };
}

// An attempt's ladder, and beside it what its words mean, what else would look the same, and what to do.
function attemptDetail(attempt, texts, explained) {
  const both = element("div", undefined, "both"), about = element("div");
  const meaning = (name) => {
    const made = element("p", undefined, "meaning"), { title, meaning, reference } = explained[name];
    made.append(element("code", name), `: ${title}. ${meaning} (${reference})`);
    return made;
  };
  about.append(meaning(attempt.outcome));
  if (attempt.reason) about.append(element("p", "Failed: " + attempt.reason + "."));
  for (const finding of attempt.findings) {
    about.append(meaning(finding.code));
    if (!finding.alternatives.length) continue;
    const others = element("ul");
    for (const text of finding.alternatives) others.append(element("li", "or: " + text));
    about.append(others);
  }
  about.append(element("p", "What to do: " + explained[attempt.outcome].next));
  if (attempt.filter) about.append(element("p", "Its frames in Wireshark:", "faint"), copyable(attempt.filter));
  both.append(ladder(attempt.title, attempt.description, attempt.height, attempt.elements, texts), about);
  return both;
}
