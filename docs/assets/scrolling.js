// What is wider than the page scrolls by itself; the keyboard must get there too. Only then, as
// every stop on the way costs a key.
const REGIONS = "pre > code, .md-typeset__scrollwrap, .lesson-scroll";

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

function observe(root) {
  for (const region of root.querySelectorAll(REGIONS)) sizes.observe(region);
}

// The theme wraps tables when it is ready for them.
new MutationObserver((changes) => {
  for (const { target } of changes) observe(target);
}).observe(document.querySelector("article"), { childList: true, subtree: true });
observe(document);
