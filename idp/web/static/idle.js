/* Says some minutes before a session ends by itself, and goes on at one press (WCAG 2.2.1).
   The tabs of one session tell each other when it was last used. Words come from the page. */
(function () {
  "use strict";
  var box = document.querySelector("[data-idle]");
  if (!box || !window.fetch) return;
  var form = box.querySelector("form");
  var key = "kosodate-idle-" + box.getAttribute("data-idle-mark");
  var warn = number("data-idle-warn") * 1000;
  var until = 0;
  var timer = 0;
  var place = null;

  function number(name) { return parseInt(box.getAttribute(name), 10); }

  function readOthers() {
    try { return parseInt(window.localStorage.getItem(key), 10) || 0; } catch (refused) { return 0; }
  }

  function start(seconds) {
    until = Date.now() + seconds * 1000;
    try { window.localStorage.setItem(key, String(until)); } catch (refused) { /* this tab alone knows */ }
    look();
  }

  function show(part) {
    Array.prototype.forEach.call(box.querySelectorAll("[data-idle-part]"), function (each) {
      each.hidden = each.getAttribute("data-idle-part") !== part;
    });
    box.hidden = part === "";
  }

  function look() {
    window.clearTimeout(timer);
    var left = Math.max(until, readOthers()) - Date.now();
    if (left <= 0) show("over");
    else if (left <= warn) show("soon");
    else show("");
    if (left > 0) timer = window.setTimeout(look, left <= warn ? left : left - warn);
  }

  document.addEventListener("focusin", function (event) {
    if (!box.contains(event.target)) place = event.target;
  });
  document.addEventListener("visibilitychange", look);
  if (form) form.addEventListener("submit", function (event) {
    event.preventDefault();
    window.fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) })
      .then(function (answer) { return answer.ok ? answer.json() : { seconds_left: 0 }; })
      .then(function (found) {
        if (found.seconds_left <= 0) { show("over"); return; }
        start(found.seconds_left);
        if (place && place.focus) place.focus();
      })
      .catch(function () { look(); });
  });
  start(number("data-idle"));
})();
