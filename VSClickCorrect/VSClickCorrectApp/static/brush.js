// Brush and eraser: a circle of true size at the pointer, and a stroke that is drawn here until it is sent.
(function () {
  const COLORS = { brush: "#56b4e9", eraser: "#d55e00" };
  const MENU = ".v-overlay--active:not(.v-tooltip)";
  // A notch of the wheel changes the radius by a tenth.
  const STEP = 1.1;
  // How long the picture of the new mask takes to come, at most; the trail stays as long.
  const PICTURE_MS = 250;

  const names = () => window.trame?.state.get("vs_brush");
  const value = (what) => window.trame.state.get(names()[what]);
  const chosen = () => (names() && COLORS[value("tool")] ? value("tool") : "");
  // As with clicks, the left button pans the bare image and measures then; Space counts before the server answers.
  const resting = () => window.trame.state.get("vs_resting") || [];
  const rests = () => window.vsclick?.holds("bare") || resting().some((name) => window.trame.state.get(name));
  const tool = () => (chosen() && !rests() ? chosen() : "");

  let stroke = null;
  let pointer = null;

  function make(kind, parent, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, text] of Object.entries(attributes)) element.setAttribute(name, text);
    return parent.appendChild(element);
  }

  const picture = make("svg", document.documentElement, { id: "vs-brush" });
  picture.style.cssText = "position: fixed; pointer-events: none; overflow: hidden; display: none; z-index: 900";
  const trail = make("polyline", picture, {
    "fill": "none",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "stroke-opacity": 0.4,
  });
  const ring = make("circle", picture, { "fill": "none", "stroke-width": 1.5 });

  function viewUnder(event) {
    if (event.target.closest?.("button")) return null;
    return event.target.closest?.(".vs-view")?.querySelector(".vs-over[data-view]");
  }

  function pixelsPerMm(view, area) {
    return Math.min(area.width, area.height) / value("widths")[view.dataset.view];
  }

  function draw() {
    const view = stroke?.view || pointer?.view;
    picture.style.display = view && (tool() || stroke) ? "block" : "none";
    if (picture.style.display === "none") return;
    const area = view.getBoundingClientRect();
    for (const side of ["left", "top", "width", "height"]) picture.style[side] = area[side] + "px";
    const radius = (stroke?.radius ?? value("radius")) * pixelsPerMm(view, area);
    const color = COLORS[stroke?.tool || tool()];
    ring.setAttribute("cx", pointer.x - area.left);
    ring.setAttribute("cy", pointer.y - area.top);
    ring.setAttribute("r", radius);
    ring.setAttribute("stroke", color);
    trail.setAttribute("stroke", color);
    trail.setAttribute("stroke-width", 2 * radius);
    const places = stroke ? stroke.places : [];
    // A line without length is not drawn.
    const line = places.length === 1 ? [...places, [places[0][0] + 1e-4, places[0][1]]] : places;
    trail.setAttribute("points", line.map(([x, y]) => `${x * area.width},${y * area.height}`).join(" "));
  }

  // Keys and buttons choose tools, and the wheel zooms, while the pointer rests.
  let watching = false;
  function watch() {
    if (watching || !names()) return;
    watching = true;
    window.trame.state.watch([names().tool, names().radius, names().widths, ...resting()], draw);
  }

  function add(event) {
    const area = stroke.view.getBoundingClientRect();
    stroke.places.push([(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height]);
  }

  async function finish() {
    const done = stroke;
    done.sent = true;
    await window.trame.trigger("vs_stroke", [done.tool, done.picture, done.radius, done.places]);
    setTimeout(() => {
      if (stroke === done) stroke = null;
      draw();
    }, PICTURE_MS);
  }

  const drawing = () => stroke && !stroke.sent;
  // Another finger, or the hand under the pen, paints nothing.
  const another = (event) => drawing() && event.pointerId !== stroke.pointer;
  // Of several buttons browsers tell only the last one's release by an event of its own.
  const painting = (event) => event.buttons & 1;

  function take(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // Before all others on the page: what is painted is no drag in a view.
  function listen(type, action) {
    window.addEventListener(type, action, { capture: true, passive: false });
  }

  listen("pointerdown", (event) => {
    // Ctrl and a drag set the window, whatever tool is chosen.
    const paints = tool() && event.button === 0 && !event.ctrlKey && !drawing();
    const view = paints ? viewUnder(event) : null;
    if (!view || !value("widths")[view.dataset.view] || window.vsclick.misfits(view.parentElement)) return;
    // What is on the screen now is painted on, whatever the server shows by now or before the end.
    const picture = window.vsclickPictures.numberIn(view.parentElement);
    stroke = { view, picture, tool: tool(), radius: value("radius"), places: [], sent: false, pointer: event.pointerId };
    pointer = { view, x: event.clientX, y: event.clientY };
    add(event);
    draw();
    take(event);
  });
  listen("pointermove", (event) => {
    watch();
    if (another(event)) return;
    pointer = { view: viewUnder(event), x: event.clientX, y: event.clientY };
    if (drawing() && !painting(event)) finish();
    if (drawing()) {
      const between = event.getCoalescedEvents?.() || [];
      for (const each of between.length ? between : [event]) add(each);
    }
    draw();
  });
  listen("pointerup", (event) => {
    if (!drawing() || another(event) || painting(event)) return;
    take(event);
    finish();
  });
  listen("pointercancel", (event) => {
    if (another(event)) return;
    if (drawing()) stroke = null;
    draw();
  });
  // What browsers tell beside it, which the views take for a drag.
  for (const type of ["mousedown", "mouseup", "touchstart", "touchmove", "touchend"]) {
    listen(type, (event) => {
      const own = tool() && !event.button && viewUnder(event);
      if (own || drawing()) take(event);
    });
  }
  listen("mousemove", (event) => {
    if (drawing()) event.stopImmediatePropagation();
  });

  listen("wheel", (event) => {
    if (drawing()) return take(event);
    if (!tool() || !viewUnder(event)) return;
    if (!event.shiftKey) return;
    take(event);
    // With Shift some browsers turn the wheel sideways.
    const turned = event.deltaY || event.deltaX;
    const [least, most] = names().range;
    const radius = value("radius") * STEP ** -Math.sign(turned);
    window.trame.state.set(names().radius, Math.min(most, Math.max(least, radius)));
  });

  listen("keydown", (event) => {
    // Another slice or zoom would come under a stroke that is half drawn.
    if (drawing() && event.key !== "Escape") return event.stopImmediatePropagation();
    if (event.key !== "Escape" || !chosen() || window.vsclick.isTyping(event) || document.querySelector(MENU)) return;
    take(event);
    if (drawing()) stroke = null;
    else window.trame.trigger("vs_key", ["look"]);
    draw();
  });
})();
