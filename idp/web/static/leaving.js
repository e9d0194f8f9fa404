/* Goes on when every service has loaded its page, or after five seconds. Written for old browsers too. */
(function () {
  "use strict";
  var link = document.getElementById("go-on");
  function go() {
    if (!link) return;
    var address = link.href;
    link = null;
    window.location.replace(address);
  }
  window.addEventListener("load", go);
  window.setTimeout(go, 5000);
})();
