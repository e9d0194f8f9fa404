/* What a script can add to pages that work without one. Words come from the page, never from here.
   Hooks: data-password-toggle, data-caps-hint, data-password-rules, .error-summary, data-countdown, data-once, data-open-into. */
(function () {
  "use strict";

  function each(selector, work) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), work);
  }

  /* Short spoken messages; made once, before anything is said, so that screen readers watch it. */
  var voice = document.createElement("p");
  voice.className = "visually-hidden";
  voice.setAttribute("aria-live", "polite");
  document.body.appendChild(voice);

  /* Show or hide a password. It is hidden again when the form is sent, so that nothing remembers it as text. */
  each("[data-password-toggle]", function (button) {
    var input = document.getElementById(button.getAttribute("aria-controls"));
    if (!input) return;
    function turn(shown, spoken) {
      input.type = shown ? "text" : "password";
      button.textContent = button.getAttribute(shown ? "data-hide" : "data-show");
      button.setAttribute("aria-label", button.getAttribute(shown ? "data-hide-label" : "data-show-label"));
      if (spoken) voice.textContent = button.getAttribute(shown ? "data-shown" : "data-hidden");
    }
    button.hidden = false;
    button.addEventListener("click", function () { turn(input.type === "password", true); });
    if (input.form) input.form.addEventListener("submit", function () { turn(false, false); });
  });

  /* Say that Caps Lock is on. A browser tells it only with a key or a click. */
  each("[data-caps-hint]", function (hint) {
    var input = document.getElementById(hint.getAttribute("data-caps-hint"));
    if (!input) return;
    function look(event) {
      if (!event.getModifierState) return;
      var on = event.getModifierState("CapsLock");
      if (on && hint.hidden) voice.textContent = hint.textContent;
      hint.hidden = !on;
    }
    ["keydown", "keyup", "mousedown"].forEach(function (name) { input.addEventListener(name, look); });
    input.addEventListener("blur", function () { hint.hidden = true; });
  });

  /* The list of password rules answers while typing; the server decides. It counts as the server does:
     NFKC first, then characters, not code units. */
  each("[data-password-rules]", function (list) {
    var input = document.getElementById(list.getAttribute("data-password-rules"));
    if (!input) return;
    function number(name) { return parseInt(list.getAttribute("data-" + name), 10); }
    function judge() {
      var signs = Array.from(input.value.normalize("NFKC"));
      var kinds = signs.map(kind).filter(function (each, place, all) { return all.indexOf(each) === place; });
      mark("length", signs.length >= number("min-length"));
      mark("classes", kinds.length >= number("classes") || signs.length >= number("long-length"));
    }
    function kind(sign) {
      if (sign !== sign.toLowerCase()) return "upper";
      if (sign !== sign.toUpperCase()) return "lower";
      return /[0-9]/.test(sign) ? "digit" : "other";
    }
    function mark(rule, met) {
      var item = list.querySelector('[data-rule="' + rule + '"]');
      if (!item || item.classList.contains("is-met") === met) return;
      item.classList.toggle("is-met", met);
      item.classList.toggle("is-open", !met);
      var word = item.querySelector("strong");
      word.textContent = list.getAttribute(met ? "data-met" : "data-open");
      if (met) voice.textContent = item.textContent.replace(word.textContent, word.textContent + " ");
    }
    input.addEventListener("input", judge);
    if (input.value) judge();
  });

  /* After a failed form, start reading at what went wrong. */
  var summary = document.querySelector(".error-summary");
  if (summary) {
    summary.focus();
    summary.addEventListener("click", function (event) {
      var link = event.target.closest ? event.target.closest("a[href^='#']") : null;
      var field = link && document.getElementById(link.getAttribute("href").slice(1));
      if (!field) return;
      var place = field.closest("fieldset") || document.querySelector("label[for='" + field.id + "']") || field;
      event.preventDefault();
      place.scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  /* Count down to when a mail may be sent again. The button works all the time; the server says no by itself. */
  each("[data-countdown]", function (line) {
    var end = Date.now() + parseInt(line.getAttribute("data-countdown"), 10) * 1000;
    var timer = window.setInterval(function () {
      var left = Math.ceil((end - Date.now()) / 1000);
      line.textContent = left > 0 ? line.getAttribute("data-template").replace("{seconds}", left) : line.getAttribute("data-done");
      if (left <= 0) window.clearInterval(timer);
    }, 1000);
  });

  /* Open a file of the computer into a field: the form sends the field, never the file. */
  each("[data-open-into]", function (line) {
    var input = line.querySelector("input"), field = document.getElementById(line.getAttribute("data-open-into"));
    if (!input || !field || !window.FileReader) return;
    line.hidden = false;
    input.addEventListener("change", function () {
      if (!input.files.length) return;
      var reader = new FileReader();
      reader.onload = function () { field.value = reader.result; field.focus(); };
      reader.readAsText(input.files[0], "utf-8");
    });
  });

  /* A second click within two seconds is a double click; any later one is a new try. */
  each("form[data-once]", function (form) {
    var sent = 0;
    form.addEventListener("submit", function (event) {
      if (Date.now() - sent < 2000) event.preventDefault();
      else sent = Date.now();
    });
    window.addEventListener("pageshow", function () { sent = 0; });
  });
})();
