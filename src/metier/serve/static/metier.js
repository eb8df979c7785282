// Makes pages better that work without it: an upload shows how far it is, a résumé being read is asked for its state.
"use strict";

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = form.querySelector("progress");
    const said = form.querySelector("[role=status]");
    const plainly = () => form.submit(); // the answer is a page that says what is wrong
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (part) => {
      bar.value = part.lengthComputable ? part.loaded / part.total : 0;
      said.textContent = part.loaded < part.total ? "Sending your résumé…" : "Sent; it is being read…";
    });
    request.addEventListener("load", () => {
      if (request.responseURL === form.action) plainly();
      else location.assign(request.responseURL);
    });
    request.addEventListener("error", plainly);
    bar.hidden = false;
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

const reading = document.querySelector("[data-state]");
if (reading) {
  const ask = async () => {
    const answer = await fetch(reading.dataset.state).catch(() => null);
    const state = answer && answer.ok ? (await answer.json()).state : "waiting";
    if (state === "waiting" || state === "reading") setTimeout(ask, 700);
    else location.reload();
  };
  setTimeout(ask, 400);
}

const errors = document.querySelector(".summary");
if (errors) errors.focus(); // read out first, and the keyboard begins there
