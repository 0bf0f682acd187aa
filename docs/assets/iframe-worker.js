// A page opened from a file may not start workers, but the search runs in one. Here a hidden frame
// stands in for it: the script runs there, and messages are handed over as events.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #inside;
    #waiting = [];

    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      document.body.append(frame);
      this.#inside = frame.contentWindow;
      this.#inside.postMessage = (data) => {
        this.dispatchEvent(new MessageEvent("message", { data }));
      };
      const script = frame.contentDocument.createElement("script");
      script.onload = () => {
        for (const data of this.#waiting.splice(0)) this.#hand(data);
        this.#waiting = null;
      };
      script.onerror = () => this.dispatchEvent(new Event("error"));
      script.src = address;
      frame.contentDocument.body.append(script);
    }

    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#hand(data);
    }

    #hand(data) {
      this.#inside.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
