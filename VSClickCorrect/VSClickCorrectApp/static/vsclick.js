// What the page does by itself: keys, files in parts, and the pointer's twin in the other sequence.
(function () {
  const TYPING = "input:not([type=range]):not([type=checkbox]), textarea, [contenteditable]";
  // Dialogs and menus have the keyboard for themselves.
  const OPEN = ".v-overlay--active:is(.v-dialog, .v-menu)";

  const isTyping = (event) => event.target.closest(TYPING);

  // Of another alphabet's letters the key counts, which has a Latin one, too.
  function signOf({ key, code }) {
    const [, latin] = /(?=\p{L})\P{Script=Latin}/u.test(key) ? /^Key([A-Z])$/.exec(code) || [] : [];
    return latin || key;
  }

  function name(event) {
    if (event.key === " ") return "Space";
    const key = event.key.length === 1 ? signOf(event).toUpperCase() : event.key;
    const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
    // Which signs need Shift depends on the keyboard.
    const sign = key.length === 1 && !/[A-Z]/.test(key);
    return control + (event.shiftKey && !sign ? "Shift+" : "") + key;
  }

  const held = new Map();
  const holds = (action) => [...held.values()].some((key) => key.action === action);
  let over = "";

  function hold(event, action) {
    if (event.repeat || held.has(event.code)) return;
    held.set(event.code, { action, since: event.timeStamp });
    window.trame.trigger("vs_hold", [action, true, over, 0]);
  }

  function letGo(code, now) {
    const { action, since } = held.get(code);
    held.delete(code);
    window.trame.trigger("vs_hold", [action, false, "", now - since]);
  }

  document.addEventListener("keyup", (event) => held.has(event.code) && letGo(event.code, event.timeStamp), true);
  // Slicer hears no key but Shift, and each view would tell of each: their listeners come later, with the views.
  document.addEventListener("keyup", (event) => event.key !== "Shift" && event.stopImmediatePropagation());
  // A key that is let go while another window has the keyboard is told to nobody.
  window.addEventListener("blur", (event) => [...held.keys()].forEach((code) => letGo(code, event.timeStamp)));

  function fullscreen() {
    const all = document.documentElement;
    return document.fullscreenElement ? document.exitFullscreen() : all.requestFullscreen();
  }

  // Before Slicer's own keys in the views, some of which mean other things.
  document.addEventListener(
    "keydown",
    (event) => {
      const action = (window.trame.state.get("vs_keys") || {})[name(event)];
      const busy = isTyping(event) || document.querySelector(OPEN);
      // A button that was reached with the Tab key is pressed by Enter or Space, as everywhere.
      const presses = event.key === "Enter" || event.key === " ";
      const button = presses && event.target.closest("button, a, [role=button], [type=checkbox], [role=slider]");
      // So are a slider's keys, once it was reached so.
      const slides = /^(Arrow|Home|End|Page)/.test(event.key) && event.target.closest("[role=slider]");
      if (!action || event.altKey || busy || button || slides) return;
      event.preventDefault();
      event.stopPropagation();
      const among = (list) => (window.trame.state.get(list) || []).includes(action);
      // A key that rests under a finger would call one case after the other done.
      if (event.repeat && !among("vs_repeated")) return;
      if (action === "fullscreen") fullscreen();
      else if (among("vs_held")) hold(event, action);
      else window.trame.trigger("vs_key", [action]);
    },
    true,
  );

  // A button that was pressed with the mouse is done with: keys belong to the views again.
  document.addEventListener("click", (event) => {
    if (event.detail > 0) event.target.closest("button, [type=checkbox]")?.blur();
  });
  document.addEventListener("pointerup", () => {
    if (document.activeElement?.matches("[role=slider]")) document.activeElement.blur();
  });

  // While an answer is awaited trame keeps back what was chosen on the page; a press or a key would overtake it.
  function tellChoices() {
    const { state, client } = window.trame || {};
    const keys = [...(state?.dirtyKeys || [])];
    if (!keys.length) return;
    state.dirtyKeys.clear();
    const chosen = keys.map((key) => ({ key, value: state.get(key) }));
    client.getRemote().Trame.updateState(chosen).catch(() => keys.forEach((key) => state.dirtyKeys.add(key)));
  }

  // Before whatever is pressed, so that it changes nothing but what is shown here.
  let seen;

  function tellSeen() {
    const state = window.trame?.state;
    const number = state?.get(state.get("vs_opening"));
    if (number === undefined || number === seen) return;
    seen = number;
    window.trame.trigger("vs_seen", [number]);
  }

  for (const type of ["pointerdown", "keydown", "click"]) {
    window.addEventListener(type, tellSeen, true);
    window.addEventListener(type, tellChoices, true);
  }

  // A click is told as one message, with the picture that was pressed on: what trame tells of the mouse waits for
  // the answer to what it told before, and keys would overtake it. A press that moves farther than this is a drag.
  const STILL = 4;
  // Who double-clicks by habit means one click; a second one in the same place would insist on what the first one did.
  const TWICE_MS = 350;
  const fingers = new Set();
  let press = null;
  let told = null;

  const apart = (event, other) =>
    Math.max(Math.abs(event.clientX - other.clientX), Math.abs(event.clientY - other.clientY)) * window.devicePixelRatio;

  const placeIn = (over, { clientX, clientY }) => {
    const { left, top, width, height } = area(over);
    return [window.vsclickPictures.numberIn(over.parentElement), (clientX - left) / width, (clientY - top) / height];
  };

  // What is measured is dragged, too; a drag that is not told of its end would go on.
  function leave(place) {
    if (press?.drags) window.trame.trigger("vs_drag", [false, ...(place || placeIn(press.over, press.last))]);
    press = null;
  }

  function follow(event) {
    if (event.pointerId !== press?.event.pointerId) return;
    press.last = event;
    if (press.drags || apart(event, press.event) <= STILL) return;
    press.drags = true;
    window.trame.trigger("vs_drag", [true, ...press.message]);
  }

  // Also of those whose press is refused, or that paint.
  function note(event) {
    leave();
    const finger = ["touch", "pen"].includes(event.pointerType) && event.target.closest?.(".vs-view");
    if (finger) fingers.add(event.pointerId);
  }

  // What lies over the images, distances for instance, is pressed for itself.
  const pressed = ({ target }) => target.closest?.(".remote-controlled-area")?.closest(".vs-view");

  function begin(event) {
    const over = pressed(event)?.querySelector(".vs-over[data-view]");
    // With Ctrl a window is set, and the bare image is panned; two fingers zoom.
    const clicks = event.button === 0 && !event.ctrlKey && !holds("bare") && fingers.size < 2;
    if (!over || !clicks) return;
    press = { event, over, last: event, message: placeIn(over, event) };
  }

  function end(event) {
    const { event: begun, message } = press || {};
    if (!begun || event.pointerId !== begun.pointerId || event.button !== 0) return;
    follow(event);
    // Who comes back to where the press was meant a click.
    const clicks = apart(event, begun) <= STILL;
    leave(clicks && message);
    if (!clicks) return;
    const again = told && begun.timeStamp - told.timeStamp < TWICE_MS && apart(begun, told) <= STILL;
    told = begun;
    if (!again) window.trame.trigger("vs_click", message);
  }

  window.addEventListener("pointerdown", note, true);
  document.addEventListener("pointerdown", begin, true);
  document.addEventListener("pointerup", end, true);
  document.addEventListener("pointermove", follow, true);
  document.addEventListener("pointercancel", () => leave(), true);
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
    window.addEventListener(type, (event) => fingers.delete(event.pointerId), true);
  }

  // The wheel turns faster than slices are drawn: what was turned meanwhile goes with the next message.
  const NOTCH = 60;
  // By view, and whether it pages or zooms.
  const turned = { pages: {}, zooms: {} };
  let sending = false;

  async function turn() {
    for (const [what, views] of sending ? [] : Object.entries(turned)) {
      for (const view of Object.keys(views)) {
        const steps = Math.trunc(views[view] / NOTCH);
        if (!steps) continue;
        views[view] -= steps * NOTCH;
        sending = true;
        await window.trame.trigger("vs_wheel", [view, -steps, what === "zooms"]);
        sending = false;
        turn();
        return;
      }
    }
  }

  document.addEventListener(
    "wheel",
    (event) => {
      const over = event.target.closest(".vs-view")?.querySelector(".vs-over[data-view]");
      if (!over) return;
      event.preventDefault();
      event.stopPropagation();
      // A notch of a wheel is a step, whatever the browser calls it; a touchpad's small moves add up.
      const amount = Math.abs(event.deltaY) >= NOTCH ? NOTCH * Math.sign(event.deltaY) : event.deltaY;
      const views = event.ctrlKey ? turned.zooms : turned.pages;
      views[over.dataset.view] = (views[over.dataset.view] || 0) + amount;
      turn();
    },
    { capture: true, passive: false },
  );

  // Before trame, which closes the connection here, so that who decides to stay can go on.
  window.addEventListener(
    "beforeunload",
    (event) => {
      const state = window.trame.state;
      if (!state.get(state.get("vs_unsaved"))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  // Browsers tell of a layout that takes a second turn as if it were an error. Before trame, which would log it.
  window.addEventListener(
    "error",
    (event) => event.message?.startsWith("ResizeObserver loop") && event.stopImmediatePropagation(),
    true,
  );

  const area = (view) => view && view.getBoundingClientRect();

  // Views have one shape for all windows of the page, that of the one that gave it last. In others a picture does not
  // fill its view, so that a press there would mean another place than the one that is seen.
  function misfits(view) {
    const { naturalWidth, naturalHeight } = view?.querySelector("img") || {};
    const { width, height } = area(view?.querySelector(".vs-over")) || {};
    // More than what sizes are rounded by, before and after they are multiplied by the pixels of a point.
    const rounding = (1 + window.devicePixelRatio) * (width + height);
    return naturalWidth && Math.abs(width * naturalHeight - height * naturalWidth) > rounding;
  }

  const CLAIM_MS = 300;
  let claimed = -CLAIM_MS;

  // Who uses this window sees the views in its shape.
  function claim({ timeStamp }) {
    const views = [...document.querySelectorAll(".vs-view")];
    if (timeStamp - claimed < CLAIM_MS || !views.some(misfits)) return;
    claimed = timeStamp;
    for (const view of views) {
      const { width, height } = area(view.querySelector(".vs-over"));
      const size = { w: width, h: height, p: window.devicePixelRatio };
      window.trame.client.getConnection().getSession().call("trame.rca.size", [view.dataset.area, "anonymous", size]);
    }
  }

  for (const type of ["pointermove", "pointerdown", "keydown", "focus"]) window.addEventListener(type, claim, true);
  // Who pressed is told once, of what browsers tell three times; buttons over a view work all the same.
  function refuse(event) {
    if (event.target.closest?.("button") || !misfits(event.target.closest?.(".vs-view"))) return;
    event.stopImmediatePropagation();
    if (event.type === "pointerdown") window.trame.trigger("vs_misfit");
  }

  for (const type of ["pointerdown", "mousedown", "touchstart"]) window.addEventListener(type, refuse, true);

  // Where the pointer is is told with the picture that is seen there, one message at a time.
  let under = null;
  let due = false;
  let telling = false;

  async function tellUnder() {
    if (telling || !due || !under || misfits(under.over.parentElement)) return;
    due = false;
    telling = true;
    await window.trame.trigger("vs_hover", placeIn(under.over, under.event)).catch(() => {});
    telling = false;
    tellUnder();
  }

  document.addEventListener("pointermove", (event) => {
    const over = pressed(event)?.querySelector(".vs-over[data-view]");
    under = over ? { over, event } : null;
    due = true;
    tellUnder();
  });
  document.documentElement.addEventListener("pointerleave", () => (under = null));
  // Another picture comes under a pointer that rests.
  document.addEventListener("vs-shown", ({ target }) => {
    due ||= Boolean(under?.over.parentElement.contains(target));
    tellUnder();
  });

  // The views of one patient are linked, so the same place is at the same part of each.
  document.addEventListener("pointermove", (event) => {
    const views = [...document.querySelectorAll(".vs-slice-view")];
    const own = views.find((view) => view.parentElement.contains(event.target));
    over = own ? own.dataset.view : "";
    for (const view of views) {
      const twin = view.querySelector(".vs-twin");
      const shown = own && view !== own && view.dataset.plane === own.dataset.plane;
      twin.style.display = shown ? "block" : "none";
      if (!shown) continue;
      const [from, to] = [area(own), area(view)];
      const scale = Math.min(to.height / from.height, to.width / from.width);
      const x = to.width / 2 + (event.clientX - from.left - from.width / 2) * scale;
      const y = to.height / 2 + (event.clientY - from.top - from.height / 2) * scale;
      twin.style.transform = `translate(${x}px, ${y}px)`;
    }
  });

  const PART = 2 * 1024 * 1024;

  // By slot, the file that was chosen last: the parts of one before would be taken for parts of it.
  const chosen = {};

  // In parts, so that no file has to fit into one message and the server can stop it early.
  async function send(slot, name, size, content) {
    const own = (chosen[slot] = {});
    let answer = await window.trame.trigger("vs_upload_begin", [slot, name, size]);
    const file = answer && (await content().catch(() => new Blob()));
    for (let at = 0; answer && at < size; at += PART) {
      // What can no longer be read is missed by the server, which says so.
      const part = await file.slice(at, at + PART).arrayBuffer().catch(() => new ArrayBuffer(0));
      if (chosen[slot] !== own) return;
      answer = await window.trame.trigger("vs_upload_part", [slot, at, part]);
    }
    if (answer && chosen[slot] === own) await window.trame.trigger("vs_upload_end", [slot]);
  }

  // One after the other: what is told to be saved is what was asked for last.
  let saving = Promise.resolve();

  async function save(kind, name, shown) {
    const content = await window.trame.trigger("vs_download", [kind, shown]);
    if (!content) return;
    await window.trame.utils.download(name, content, "application/octet-stream");
    await window.trame.trigger("vs_saved");
  }

  // Browsers give pages of other computers no clipboard over plain http, but copy what is selected.
  async function copied(text) {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(text).then(() => true, () => false);
    }
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }

  window.vsclick = {
    holds,
    send,
    fullscreen,
    isTyping,
    misfits,
    upload(slot, event) {
      const file = event.target.files[0];
      event.target.value = "";
      if (file) send(slot, file.name, file.size, async () => file);
    },
    download(kind, name = kind, shown = null) {
      const saved = saving.then(() => save(kind, name, shown));
      // What fails is the caller's to know, and holds up nothing that is asked for after it.
      saving = saved.catch(() => {});
      return saved;
    },
    async copy(text) {
      window.trame.trigger("vs_copied", [await copied(text)]);
    },
  };
})();
