// A line that is set by hand, by pointer and by keyboard, before descent takes over.

/** Two grips on the line, by which one sets it where the descent starts. */
class LineGrips {
  constructor(view, app) {
    Object.assign(this, { view, app, isMoving: false });
    this.grips = [0.15, 0.85].map((part, place) => {
      const name = place ? "right" : "left";
      const grip = shape(
        "g",
        {
          class: "hold line-grip",
          tabindex: 0,
          role: "button",
          "aria-roledescription": "movable point",
        },
        shape("circle", { class: "grip", r: GRIP }),
        shape("circle", { class: "ring" }),
      );
      const move = (y) => this.set(place, y);
      grip.addEventListener("pointerdown", (event) => {
        grip.setPointerCapture(event.pointerId);
        this.isMoving = true;
        event.preventDefault();
        grip.focus({ preventScroll: true });
      });
      grip.addEventListener("pointermove", (event) => {
        if (this.isMoving)
          move(view.y.back(Math.min(Math.max(view.chart.partsOf(event)[1], 0), 1)));
      });
      for (const end of ["pointerup", "pointercancel"])
        grip.addEventListener(end, () => {
          this.isMoving = false;
          view.isHeld = false;
          app.draw();
        });
      grip.addEventListener("keydown", (event) => {
        const up = STEP_OF[event.key]?.[1];
        if (!up) return;
        event.preventDefault();
        event.stopPropagation();
        move(
          this.heights[place] +
            (up * KEY_STEP * (view.ys[1] - view.ys[0])) / (event.shiftKey ? 5 : 1),
        );
      });
      view.chart.over.append(grip);
      return { grip, part, name };
    });
  }

  get places() {
    const [low, high] = this.view.xs;
    return this.grips.map(({ part }) => low + part * (high - low));
  }

  /** Start from the line through a point over one of the places, and the other as it is. */
  set(place, y) {
    const { app } = this;
    const heights = this.heights.with(place, y);
    const [left, right] = this.places;
    const w = (heights[1] - heights[0]) / (right - left);
    app.wanted = app.descent.first;
    app.change({ start: onScale([w, heights[0] - w * left], run.scales[app.settings.scale]) });
  }

  draw([w, b], isStart) {
    const { chart, ys } = this.view;
    if (isStart) this.heights = this.places.map((x) => w * x + b);
    this.grips.forEach(({ grip, name }, place) => {
      const y = this.heights?.[place] ?? NaN;
      const isSeen = isStart && Number.isFinite(y);
      const at = Math.min(Math.max(y, ys[0]), ys[1]); // of a line that is out of the picture, at its edge
      set(grip, {
        visibility: isSeen ? null : "hidden",
        transform: `translate(${tidy(chart.x(this.places[place]))} ${tidy(chart.y(at))})`,
        "aria-label": `the line's ${name}, at ${short(y, 3)}; the arrow keys move it`,
      });
      set(grip.lastElementChild, { r: 0.5 * chart.unit });
    });
  }
}
