/* Draws each chart from the table beside it, so that picture and numbers can never differ.
   A click on a bar, slice or point follows the address of its row. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--zk-" + name).trim();
  const TONES = { r: "bad", w: "warn", b: "warn", g: "good", i: "info", a: "info", c: "plum", n: "mute" };
  const SHADES = [1, 0.6, 0.35, 0.2];
  const MOST_COLUMNS = 62;
  const NARROW = 460;
  const STILL = matchMedia("(prefers-reduced-motion:reduce)");
  const drawn = [];

  function read(card) {
    if (card.dataset.chart === "pivot") return cross(card);
    // A ranking is drawn of those who have a place; all the others together would dwarf them.
    return $$("tbody tr:not(.rest)", card).map((row) => {
      const cell = $("[data-v]", row);
      const link = $("a", cell);
      const note = $("[data-note]", row);
      const name = $("[data-name] a", row) || $("[data-name]", row);
      return {
        name: cell.dataset.label, words: name.textContent.trim(), value: Number(cell.dataset.v), own: row.matches(".own"),
        url: link ? link.href : "", tone: cell.dataset.tone || "", note: note ? note.textContent.trim() : "",
      };
    });
  }

  // A cross table as one row of data per cell; what stands down and across goes along.
  function cross(card) {
    const across = $$("thead [data-col]", card).map((head) => head.textContent.trim());
    const rows = $$("tbody tr", card);
    const down = rows.map((row) => $("[data-name]", row).textContent.trim());
    const cells = rows.flatMap((row, y) => $$("[data-v]", row).map((cell, x) => {
      const link = $("a", cell);
      const amount = Number(cell.dataset.v);
      const pale = cell.matches(".heat0");
      return { value: [x, y, amount], amount, pale, visualMap: !pale, words: down[y] + " · " + across[x], url: link ? link.href : "", note: "" };
    }));
    return Object.assign(cells, { across, down });
  }

  function look() {
    const found = { colours: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => token("c" + n)), tones: {} };
    ["ink", "line", "card", "font"].forEach((name) => (found[name] = token(name)));
    found.soft = token("ink-2");
    found.faint = token("line-2");
    Object.keys(TONES).forEach((tone) => (found.tones[tone] = token(TONES[tone])));
    return found;
  }

  // A value keeps the colour it has in lists; those that share one are told apart by their shade.
  function toned(data, c) {
    const seen = {};
    return data.map((d) => {
      if (!d.tone) return d;
      const times = (seen[d.tone] = (seen[d.tone] || 0) + 1);
      const shade = SHADES[Math.min(times, SHADES.length) - 1];
      return Object.assign({ itemStyle: { color: c.tones[d.tone], opacity: shade } }, d);
    });
  }

  // The reader's own bar has a colour of its own.
  function marked(data, c) {
    return data.map((d) => (d.own ? Object.assign({}, d, { itemStyle: { color: c.colours[2] } }) : d));
  }

  // Width in Chinese characters; a Latin letter takes half of one.
  function cut(text, most) {
    let width = 0;
    for (let at = 0; at < text.length; at++) {
      width += text.charCodeAt(at) > 255 ? 1 : 0.55;
      if (width > most) return text.slice(0, at) + "…";
    }
    return text;
  }

  function short(value, unit) {
    const size = Math.abs(value);
    const say = (n) => n.toLocaleString("zh-CN", { maximumFractionDigits: 1 });
    const words = size >= 1e8 ? say(size / 1e8) + "亿" : size >= 1e4 ? say(size / 1e4) + "万" : say(size);
    return (value < 0 ? "-" : "") + (unit === "元" ? "¥" : "") + words + (unit === "元" ? "" : unit);
  }

  function whole(value, unit) {
    if (unit !== "元") return value.toLocaleString("zh-CN") + unit;
    const money = Math.abs(value).toLocaleString("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return (value < 0 ? "-¥" : "¥") + money;
  }

  function base(c, data, unit) {
    const said = (at) => {
      const d = data[(Array.isArray(at) ? at[0] : at).dataIndex];
      return window.echarts.format.encodeHTML(d.words) + "<br>" + whole(d.amount === undefined ? d.value : d.amount, unit) + (d.note && d.note !== "—" ? "　" + d.note : "");
    };
    return {
      color: c.colours, textStyle: { fontFamily: c.font, color: c.ink }, animation: !STILL.matches, animationDuration: 250, aria: { enabled: false },
      tooltip: {
        trigger: "item", confine: true, backgroundColor: c.card, borderColor: c.line, textStyle: { color: c.ink }, formatter: said,
      },
    };
  }

  function donut(c, data, unit, width) {
    const narrow = width < NARROW;
    const room = narrow ? width / 13 - 9 : width / 26 - 8;
    const byName = Object.fromEntries(data.map((d) => [d.name, d]));
    const spoken = (name) => cut(name, room) + "  " + whole(byName[name].value, unit) + "  " + byName[name].note;
    return {
      legend: {
        type: "scroll", orient: "vertical", icon: "circle", itemWidth: 8, itemGap: 9, selectedMode: false,
        textStyle: { color: c.soft }, formatter: spoken, pageTextStyle: { color: c.soft },
        tooltip: { show: true, formatter: (at) => window.echarts.format.encodeHTML(at.name) },
        left: narrow ? 8 : "48%", top: narrow ? 210 : "middle",
      },
      series: [{
        type: "pie", radius: narrow ? [54, 88] : [62, 102], center: narrow ? ["50%", 104] : ["24%", "50%"], data: toned(data, c),
        itemStyle: { borderColor: c.card, borderWidth: 2 }, label: { show: false }, emphasis: { scaleSize: 4 },
      }],
    };
  }

  // Centred bars instead of slopes: a step that few or none have reached stays readable.
  function funnel(c, data, unit, width, tall) {
    const wide = Math.round(width * (width < NARROW ? 0.52 : 0.58));
    const most = data[0].value;
    const each = (tall - 24) / data.length;
    const said = (d) => cut(d.name, 9) + "\n" + whole(d.value, unit) + (d.note && d.note !== "—" ? " · 转化 " + d.note : "");
    return {
      graphic: data.map((d, n) => ({
        type: "text", left: wide + 30, top: 12 + (n + 0.5) * each - 17, silent: true,
        style: { text: said(d), fill: c.ink, font: "12px " + c.font, lineHeight: 17 },
      })),
      grid: { left: 12, width: wide, top: 12, bottom: 12 },
      xAxis: { type: "value", min: 0, max: most, show: false },
      yAxis: { type: "category", inverse: true, show: false, data: data.map((d) => d.name) },
      series: [
        { type: "bar", stack: "steps", silent: true, barWidth: "62%", itemStyle: { color: "transparent" }, data: data.map((d) => (most - d.value) / 2), showBackground: true, backgroundStyle: { color: c.faint, borderRadius: 4 } },
        { type: "bar", stack: "steps", barMinHeight: 3, colorBy: "data", itemStyle: { borderRadius: 4 }, data: data.map((d) => (d.value ? d : "-")) },
      ],
    };
  }

  function axes(c, data, unit) {
    const label = { color: c.soft, fontSize: 12 };
    return {
      names: { type: "category", data: data.map((d) => d.name), axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } }, axisLabel: label },
      values: {
        type: "value", minInterval: unit === "元" ? 0 : 1, splitNumber: 4, splitLine: { lineStyle: { color: c.line } },
        axisLabel: Object.assign({ formatter: (value) => short(value, unit), hideOverlap: true }, label),
      },
      label,
    };
  }

  function trend(c, data, unit) {
    const { names, values, label } = axes(c, data, unit);
    const columns = data.length <= MOST_COLUMNS;
    names.axisLabel = Object.assign({ hideOverlap: true }, label);
    names.boundaryGap = columns;
    return {
      tooltip: { trigger: "axis", axisPointer: { type: columns ? "shadow" : "line" } },
      grid: { left: 4, right: 16, top: 16, bottom: 4, containLabel: true },
      xAxis: names, yAxis: values,
      series: [columns
        ? { type: "bar", data, barMaxWidth: 26, itemStyle: { borderRadius: [3, 3, 0, 0] } }
        : { type: "line", data, symbolSize: 5, areaStyle: { opacity: 0.1 } }],
    };
  }

  function ranking(c, data, unit, width) {
    const { names, values, label } = axes(c, data, unit);
    names.inverse = true;
    const negative = data.some((d) => d.value < 0);
    names.axisLabel = Object.assign({ interval: 0, formatter: (name) => cut(name, width < NARROW ? 7 : 12) }, label);
    return {
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
      grid: { left: 4, right: 64, top: 4, bottom: 4, containLabel: true },
      xAxis: values, yAxis: names,
      series: [{
        type: "bar", data: marked(toned(data, c), c), barMaxWidth: 20, itemStyle: { borderRadius: negative ? 2 : [0, 4, 4, 0] },
        label: { show: true, position: "right", color: c.soft, formatter: (at) => short(at.value, unit) },
      }],
    };
  }

  function heat(c, data, unit, width) {
    const { names, label } = axes(c, data, unit);
    const narrow = width < NARROW;
    const axis = (list, room, more) => Object.assign({}, names, {
      data: list, splitArea: { show: false },
      axisLabel: Object.assign({ interval: 0, formatter: (name) => cut(name, room), hideOverlap: true }, label, more),
    });
    const most = Math.max(1, ...data.map((d) => (d.pale ? 0 : d.amount)));
    const cells = data.map((d) => (d.pale ? Object.assign({}, d, { itemStyle: { color: c.card } }) : d));
    return {
      grid: { left: 4, right: 12, top: 4, bottom: 4, containLabel: true },
      xAxis: axis(data.across, narrow ? 4 : 8, narrow ? { rotate: 40 } : {}), yAxis: Object.assign(axis(data.down, narrow ? 5 : 10), { inverse: true }),
      visualMap: { show: false, min: 0, max: most, dimension: 2, inRange: { color: [c.colours[0]], colorAlpha: [0.06, 0.5] } },
      series: [{
        type: "heatmap", data: cells, itemStyle: { borderColor: c.card, borderWidth: 2 },
        label: { show: !narrow, formatter: (at) => (at.data.amount ? short(at.data.amount, unit) : ""), color: c.ink, textBorderColor: c.card, textBorderWidth: 2 },
      }],
    };
  }

  const KINDS = { pie: donut, funnel, trend, bar: ranking, pivot: heat };

  function height(kind, data, width) {
    const rows = data.length;
    if (kind === "pivot") return data.down.length * 30 + 56;
    if (kind === "bar") return rows * 27 + 40;
    if (kind === "pie" && width < NARROW) return 220 + Math.min(rows, 12) * 24;
    return kind === "funnel" ? Math.max(rows * 74, 290) : 290;
  }

  function options(card, data, width) {
    const c = look();
    const unit = card.dataset.unit || "";
    const found = base(c, data, unit);
    const own = KINDS[card.dataset.chart](c, data, unit, width, height(card.dataset.chart, data, width));
    return Object.assign(found, own, { tooltip: Object.assign(found.tooltip, own.tooltip) });
  }

  function follow(chart, kind, data) {
    const go = (row) => row && row.url && (location.href = row.url);
    if (!["trend", "bar", "funnel"].includes(kind)) return chart.on("click", (at) => go(data[at.dataIndex]));
    // A short bar is hard to hit: all of its row or column counts.
    const at = (event) => {
      const point = [event.offsetX, event.offsetY];
      if (!chart.containPixel("grid", point)) return undefined;
      return data[chart.convertFromPixel({ seriesIndex: 0 }, point)[kind === "trend" ? 0 : 1]];
    };
    const area = chart.getZr();
    area.on("click", (event) => go(at(event)));
    return area.on("mousemove", (event) => area.setCursorStyle((at(event) || {}).url ? "pointer" : "default"));
  }

  // The picture for a report: with its title, and with the rows it reads in words.
  function save(card, data) {
    const width = 960;
    const head = 64;
    const tall = height(card.dataset.chart, data, width);
    const big = window.echarts.init(document.createElement("div"), null, { renderer: "canvas", width, height: tall });
    const shown = options(card, data, width);
    shown.animation = false;
    big.setOption(shown);
    const sheet = document.createElement("canvas");
    const pen = sheet.getContext("2d");
    const title = $("h2", card).textContent;
    const page = $("[data-reading]");
    const reading = card.dataset.readingOf || (page ? page.textContent.replace(/^统计范围：/, "") : "");
    sheet.width = width * 2;
    sheet.height = (tall + head) * 2;
    pen.scale(2, 2);
    pen.fillStyle = token("card");
    pen.fillRect(0, 0, width, tall + head);
    pen.fillStyle = token("ink");
    pen.font = "600 18px " + token("font");
    pen.fillText(title, 16, 28);
    pen.fillStyle = token("ink-2");
    pen.font = "13px " + token("font");
    pen.fillText(reading, 16, 50, width - 32);
    pen.drawImage(big.renderToCanvas({ pixelRatio: 2 }), 0, head, width, tall);
    const link = document.createElement("a");
    link.href = sheet.toDataURL("image/png");
    link.download = (title + " " + reading).trim().replace(/[\\/:*?"<>|]/g, "-") + ".png";
    link.click();
    big.dispose();
  }

  $$("[data-chart]").forEach((card) => {
    const table = $(".tbl", card);
    const plot = $(".plot", card);
    if (!table || !window.echarts) return;
    const kind = card.dataset.chart;
    const data = read(card);
    const tools = $("header .r", card);
    $$(".need-js", tools).forEach((tool) => (tool.hidden = false));
    plot.hidden = false;
    plot.style.height = height(kind, data, plot.clientWidth) + "px";
    const chart = window.echarts.init(plot, null, { renderer: "svg" });
    const draw = () => {
      if (plot.hidden) return;
      plot.style.height = height(kind, data, plot.clientWidth) + "px";
      chart.resize();
      chart.setOption(options(card, data, plot.clientWidth), true);
    };
    follow(chart, kind, data);
    drawn.push(draw);
    function show(what) {
      plot.hidden = what !== "plot";
      table.hidden = what !== "table";
      $$("[data-show]", tools).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.show === what)));
      draw();
    }
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show]");
      if (button) show(button.dataset.show);
      if (event.target.closest("[data-save]")) save(card, data);
    });
    show(kind === "pivot" ? "table" : "plot");
  });

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawn.forEach((draw) => draw()), 120);
  });
  document.addEventListener("zk:theme", () => drawn.forEach((draw) => draw()));
})();
