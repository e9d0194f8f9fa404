/* The page in a service's frame (Session Management 1.0 §3.2): is the session still the one that the
   session_state was made for? Answers unchanged, changed or error; asks the server nothing. */
(function () {
  "use strict";
  var name = document.body.getAttribute("data-cookie") + "=";

  function readState() {
    var found = document.cookie.split("; ").filter(function (pair) { return pair.indexOf(name) === 0; });
    return found.length ? found[0].slice(name.length) : null;
  }

  /* No cookie means signed out, but only where the browser shows frames our cookies at all. */
  function judgeMissing() {
    if (!document.hasStorageAccess) return Promise.resolve(navigator.cookieEnabled ? "changed" : "error");
    return document.hasStorageAccess().then(function (shown) { return shown ? "changed" : "error"; });
  }

  function digest(text) {
    return window.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then(function (bytes) {
      var signs = String.fromCharCode.apply(null, new Uint8Array(bytes));
      return window.btoa(signs).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    });
  }

  function judge(message, origin) {
    var parts = /^([!-~]{1,200}) ([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{1,100})$/.exec(message);
    if (typeof message !== "string" || !parts || !window.crypto.subtle) return Promise.resolve("error");
    var state = readState();
    if (state === null) return judgeMissing();
    return digest([parts[1], origin, state, parts[3]].join(" ")).then(function (expected) {
      return expected === parts[2] ? "unchanged" : "changed";
    });
  }

  window.addEventListener("message", function (event) {
    if (!event.source || event.source === window || event.origin === "null") return;
    judge(event.data, event.origin)
      .catch(function () { return "error"; })
      .then(function (answer) { event.source.postMessage(answer, event.origin); });
  });
})();
