// What a page needs beside the generator's script: code is copied, and a long list is narrowed.
for (const shown of document.querySelectorAll(".run > pre:first-child")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  shown.before(button);
}

// A long text begins where the attribute is; one that is folded, once it is opened.
const begin = (inside) => {
  for (const text of inside.querySelectorAll(".run > pre")) {
    const mark = text.querySelector("mark");
    if (mark && mark.offsetTop - text.offsetTop > text.clientHeight) {
      text.scrollTop = mark.offsetTop - text.offsetTop - 40;
    }
  }
};
begin(document);
for (const folded of document.querySelectorAll("details")) {
  folded.addEventListener("toggle", () => begin(folded), { once: true });
}

for (const field of document.querySelectorAll("input[data-filter]")) {
  const rows = [...document.querySelectorAll(field.dataset.filter + " tbody tr")];
  const count = document.querySelector("[data-count]");
  const words = rows.map((row) => row.textContent.toLowerCase().replace(/[(),]/g, "") + row.textContent.toLowerCase());
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    rows.forEach((row, at) => {
      row.hidden = !wanted.every((word) => words[at].includes(word));
      left += row.hidden ? 0 : 1;
    });
    count.textContent = `${left} of ${rows.length}`;
  });
}

// A folded part that a link or a printer wants is opened.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));

// Tables of guides scroll on a phone, so keys must reach them.
addEventListener("load", () => document.querySelectorAll(".md-typeset__scrollwrap, .highlight code, .md-typeset pre > code").forEach((one) => (one.tabIndex = 0)));
