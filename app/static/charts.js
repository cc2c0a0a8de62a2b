/* Draws each chart from the table beside it, so that picture and numbers can never differ.
   A click on a bar, slice or point follows the address of its row. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--zk-" + name).trim();
  const drawn = [];

  function read(card) {
    return $$("tbody tr", card).map((row) => {
      const cell = $("[data-v]", row);
      const link = $("a", cell);
      return { name: row.cells[0].textContent.trim(), value: Number(cell.dataset.v), url: link ? link.href : "" };
    });
  }

  function look() {
    return {
      ink: token("ink"), soft: token("ink-2"), line: token("line"), card: token("card"),
      colours: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => token("c" + n)),
    };
  }

  function options(kind, data, unit) {
    const c = look();
    const names = data.map((d) => d.name);
    const number = (value) => Number(value).toLocaleString("zh-CN") + unit;
    const base = {
      color: c.colours,
      textStyle: { fontFamily: token("font"), color: c.ink },
      animationDuration: 250,
      tooltip: {
        trigger: "item", backgroundColor: c.card, borderColor: c.line, textStyle: { color: c.ink },
        valueFormatter: number, confine: true,
      },
      grid: { left: 8, right: 24, top: 16, bottom: 4, containLabel: true },
      aria: { enabled: false },
    };
    const label = { color: c.soft, fontSize: 12 };
    const names_axis = { type: "category", data: names, axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } }, axisLabel: label };
    const values_axis = { type: "value", minInterval: unit === "元" ? 0 : 1, splitLine: { lineStyle: { color: c.line } }, axisLabel: label };
    if (kind === "pie" || kind === "donut") {
      return Object.assign(base, {
        legend: { type: "scroll", orient: "vertical", right: 8, top: "middle", textStyle: { color: c.soft }, icon: "circle", itemWidth: 8 },
        series: [{
          type: "pie", radius: ["42%", "66%"], center: ["40%", "50%"], data,
          itemStyle: { borderColor: c.card, borderWidth: 2 }, label: { color: c.soft, formatter: (at) => Math.round(at.percent) + "%" },
        }],
      });
    }
    if (kind === "funnel") {
      return Object.assign(base, {
        series: [{
          type: "funnel", left: "12%", right: "12%", top: 8, bottom: 8, gap: 3, sort: "none", minSize: "8%", data,
          itemStyle: { borderWidth: 0 }, label: { color: c.ink, formatter: (at) => at.name + "  " + number(at.value), position: "outer" },
          labelLine: { lineStyle: { color: c.line } },
        }],
      });
    }
    if (kind === "line" || kind === "trend" || kind === "area") {
      base.tooltip.trigger = "axis";
      return Object.assign(base, {
        xAxis: Object.assign(names_axis, { boundaryGap: false }), yAxis: values_axis,
        series: [{ type: "line", data, smooth: 0.2, symbolSize: 7, areaStyle: { opacity: 0.1 }, triggerLineEvent: false }],
      });
    }
    const lying = kind === "hbar" || kind === "rank" || names.join("字").length > 40;
    const bar = {
      type: "bar", data, barMaxWidth: 26, itemStyle: { borderRadius: lying ? [0, 4, 4, 0] : [4, 4, 0, 0] },
      label: { show: names.length <= 20, position: lying ? "right" : "top", color: c.soft, formatter: (at) => number(at.value) },
    };
    return Object.assign(base, lying
      ? { xAxis: values_axis, yAxis: Object.assign(names_axis, { inverse: true }), series: [bar] }
      : { xAxis: names_axis, yAxis: values_axis, series: [bar] });
  }

  $$("[data-chart]").forEach((card) => {
    const table = $(".tbl", card);
    const plot = $(".plot", card);
    if (!table || !window.echarts) return;
    const data = read(card);
    const unit = card.dataset.unit || "";
    const switches = $("header .scopes", card);
    switches.hidden = false;
    plot.hidden = false;
    const chart = window.echarts.init(plot, null, { renderer: "svg" });
    const draw = () => chart.setOption(options(card.dataset.chart, data, unit), true);
    draw();
    chart.on("click", (at) => {
      const row = data[at.dataIndex];
      if (row && row.url) location.href = row.url;
    });
    drawn.push({ chart, draw });
    function show(what) {
      plot.hidden = what !== "plot";
      table.hidden = what !== "table";
      $$("button", switches).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.show === what)));
      if (what === "plot") chart.resize();
    }
    switches.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show]");
      if (button) show(button.dataset.show);
    });
    show(data.some((d) => d.value) ? "plot" : "table");
  });

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawn.forEach((d) => d.chart.resize()), 120);
  });
  document.addEventListener("zk:theme", () => drawn.forEach((d) => d.draw()));
})();
