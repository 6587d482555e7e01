// A file of one's own: opened, dropped or pasted; which of its columns are used; and what is said.

class FileView {
  constructor() {
    const find = (id) => document.getElementById(id);
    [this.section, this.opener, this.asked, this.targets, this.target, this.columns, this.said] = [
      "file",
      "opener",
      "asked",
      "targets",
      "target",
      "columns",
      "said",
    ].map(find);
    this.section.hidden = false;
    this.title = document.title;
    this.empty();
    this.opener.addEventListener("change", () => this.open(this.opener.files[0]));
    this.target.addEventListener("change", () =>
      this.choose({
        target: this.target.value,
        exclude: this.choice.exclude?.filter((name) => name !== this.target.value),
      }),
    );
    document.addEventListener("dragstart", (event) => event.preventDefault()); // of the page's own text
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) this.open(file);
      else this.load(event.dataTransfer.getData("text"), "dropped");
    });
    document.addEventListener("paste", (event) => {
      if (event.target.closest("input")) return;
      const [file] = event.clipboardData.files;
      if (file) this.open(file);
      else this.load(event.clipboardData.getData("text"), "pasted");
    });
    window.gdfit.load = (text, name) => this.load(text, name);
  }

  /** Show no run. */
  empty() {
    clear();
    document.title = this.title;
    document.body.className = "empty";
    if (location.hash.slice(1) === written) {
      history.replaceState(null, "", location.pathname + location.search);
      written = "";
    }
    say(document.getElementById("model"), "Gradient descent on a file of your own");
    const about = "Nothing leaves this page: it reads the file here, and descends here";
    say(document.getElementById("about"), about);
  }

  async open(file) {
    if (!file) return;
    this.opener.value = ""; // so that the same file can be opened again
    const bytes = await file.arrayBuffer();
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      this.begin(file.name);
      this.fail(noText(new Uint8Array(bytes.slice(0, BEGINNING))), file.name);
      return;
    }
    this.load(text, file.name);
  }

  /**
   * Descend on the table that a text is: what it uses and what is said of it, `{features, target,
   * observations, notes}`, or the `error`.
   */
  load(text, name = "file") {
    this.begin(name, text);
    return this.choose({});
  }

  /** Another file: nothing of the one before is left. */
  begin(name, text) {
    [this.text, this.name, this.choice] = [text, name, {}];
    this.targets.hidden = true;
    this.columns.hidden = true;
    say(this.asked, name);
  }

  /** Read it again with something said. */
  choose(more) {
    Object.assign(this.choice, more);
    try {
      const table = tableOf(this.text, this.name, this.choice);
      begin(ended(runFrom(table, held)));
      table.notes.push(...weightless(run));
      this.show(table);
      const { features, target, notes } = table;
      return { features, target, observations: run.observations, notes };
    } catch (error) {
      if (error instanceof RangeError) return this.fail(new FileError(error.message), this.name);
      if (!(error instanceof FileError)) throw error;
      return this.fail(error, this.name);
    }
  }

  show({ offered, features, target, notes }) {
    document.title = `${target} by gradient descent`;
    document.body.classList.remove("empty");
    say(this.asked, this.name);
    this.targets.hidden = false;
    this.columns.hidden = offered.length < 3;
    this.target.replaceChildren(
      ...offered.map((name) => element("option", name === target ? { selected: "" } : {}, name)),
    );
    say(this.columns.firstElementChild, `features: ${features.length} of ${offered.length - 1}`);
    this.columns.lastElementChild.replaceChildren(
      ...offered
        .filter((name) => name !== target)
        .map((name) => {
          const input = element("input", {
            type: "checkbox",
            ...(features.includes(name) ? { checked: "" } : {}),
          });
          input.addEventListener("change", () => {
            const others = (this.choice.exclude ?? []).filter((each) => each !== name);
            this.choose({ target, exclude: input.checked ? others : [...others, name] });
          });
          return element("label", {}, input, name);
        }),
    );
    this.said.replaceChildren(...[...notes, ...this.hint(notes)].map((note) => element("li", {}, note)));
  }

  /** Where to type the options that are spoken of. */
  hint(notes) {
    if (!notes.some((note) => /--[a-z]/.test(note))) return [];
    return [`options as these are typed behind ${commandFor(this.name)}`];
  }

  /** Say what is wrong, and offer the ways out. */
  fail(error, name) {
    this.empty();
    const texts = {
      dropMissing: () => "skip such rows",
      exclude: (column) => `leave out ${column}`,
      decimal: (mark) => `decimal ${mark}`,
    };
    const buttons = error.ways.flatMap((way) =>
      Object.entries(way).map(([option, value]) => {
        const button = element("button", { type: "button" }, texts[option](value));
        const more = option === "exclude" ? [...(this.choice.exclude ?? []), value] : value;
        button.addEventListener("click", () => this.choose({ [option]: more }));
        return button;
      }),
    );
    const told = error.told(name);
    const hints = error instanceof CommandError ? [] : this.hint([told]);
    this.said.replaceChildren(
      element("li", { class: "fault" }, told, " ", ...buttons),
      ...hints.map((hint) => element("li", {}, hint)),
    );
    return { error: told };
  }
}
