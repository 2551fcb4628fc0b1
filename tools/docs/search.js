// What every page does at its start, and its search. That stands in the place of Doxygen's own, which keeps its results
// in a frame, and a browser forbids a frame to reach out of itself where pages are files. `searchIndex`
// (searchdata.js) has [name, what it is, address].
'use strict';

// How well `entry` answers `words`, all in lower case: smaller is better, null is not at all.
function rank(entry, words) {
  const name = entry[0].toLowerCase();
  const last = name.slice(name.lastIndexOf('::') + 1).replace(':', '');
  if (!words.every(word => name.includes(word) || entry[1].toLowerCase().includes(word))) return null;
  if (!words.every(word => name.includes(word))) return 4;
  if (name === words[0]) return 0;
  if (last === words[0]) return 1;
  return last.startsWith(words[0]) ? 2 : 3;
}

function matches(text, most) {
  const words = text.toLowerCase().replace(/\ballot::/g, '').split(/\s+/).filter(word => word);
  if (!words.length) return [];
  return searchIndex.map((entry, place) => [rank(entry, words), place, entry]).filter(found => found[0] !== null)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, most).map(found => found[2]);
}

// Doxygen's pages make one of these, and call it by these names.
class SearchBox {
  constructor() {
    document.addEventListener('keydown', event => this.key(event));
    document.addEventListener('click', event => {
      if (event.target !== this.field()) this.CloseResultsWindow();
    });
  }

  OnSearchSelectShow() {}
  OnSearchSelectHide() {}

  OnSearchFieldFocus(hasIt) {
    const field = this.field();
    field.setAttribute('autocomplete', 'off');
    if (hasIt && field.value === field.defaultValue) field.value = '';
  }

  OnSearchFieldChange(event) {
    if (!['ArrowDown', 'ArrowUp', 'Enter', 'Escape'].includes(event.key)) this.show(this.field().value.trim());
  }

  CloseResultsWindow() {
    this.panel().style.display = 'none';
  }

  field() { return document.getElementById('MSearchField'); }
  panel() { return document.getElementById('MSearchResultsWindow'); }

  show(text) {
    const panel = this.panel();
    const found = matches(text, 30);
    panel.textContent = found.length ? '' : 'Nothing has that name.';
    for (const [name, what, address] of found) {
      const link = panel.appendChild(document.createElement('a'));
      link.href = address;
      link.appendChild(document.createElement('b')).textContent = name;
      link.appendChild(document.createElement('span')).textContent = what;
    }
    panel.style.display = text ? 'block' : 'none';
    panel.style.top = `${this.field().getBoundingClientRect().bottom + 10}px`;
  }

  // Arrows move through the results; from the field Enter takes the first one.
  key(event) {
    const places = [this.field(), ...this.panel().querySelectorAll('a')];
    const here = places.indexOf(document.activeElement);
    const to = {ArrowDown: places[here + 1], ArrowUp: places[here - 1], Escape: places[0]}[event.key];
    if (here < 0 || this.panel().style.display !== 'block') return;
    if (event.key === 'Escape') this.CloseResultsWindow();
    if (event.key === 'Enter' && here === 0 && places.length > 1) places[1].click();
    if (to) {
      to.focus();
      event.preventDefault();
    }
  }
}

// What a class has from those that write it (resource_interface, adaptor_interface) is seen without a click.
function openInherited() {
  for (const row of document.querySelectorAll('.inherit_header')) {
    const section = row.classList[1];
    if (/^pub_methods_.*__interface$/.test(section)) toggleInherit(section);
  }
}

// Called by every page when it is there.
function init_search() {
  document.getElementById('MSearchResultsWindow').textContent = ''; // Doxygen's frame
  openInherited();
}
