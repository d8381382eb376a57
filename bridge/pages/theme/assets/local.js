// A page that was opened from a file may not start workers. The search's worker runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      frame.srcdoc = "<!doctype html><title>search</title>";
      frame.addEventListener("load", () => this.start(frame.contentWindow, String(url)), { once: true });
      const attach = () => document.body.append(frame);
      document.body ? attach() : document.addEventListener("DOMContentLoaded", attach);
    }

    start(inner, url) {
      inner.postMessage = (data) => setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
      inner.importScripts = (...urls) => Promise.all(urls.map((one) => this.load(inner, one)));
      this.load(inner, url).then(() => {
        this.inner = inner;
        this.waiting.splice(0).forEach((data) => this.postMessage(data));
      });
    }

    load(inner, url) {
      return new Promise((done, fail) => {
        const script = inner.document.createElement("script");
        script.src = new URL(url, location.href).href;
        script.onload = done;
        script.onerror = fail;
        inner.document.head.append(script);
      });
    }

    postMessage(data) {
      if (this.inner) {
        setTimeout(() => this.inner.dispatchEvent(new MessageEvent("message", { data })));
      } else {
        this.waiting.push(data);
      }
    }

    set onmessage(heard) {
      this.addEventListener("message", heard);
    }

    terminate() {}
  };
}
