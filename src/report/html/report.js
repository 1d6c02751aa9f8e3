// Progressive: without this file's script the page shows everything; with it tables sort and filter.
(function () {
  'use strict';
  var root = document.documentElement;
  root.classList.add('js');

  function stored(value) {
    try {
      if (value === undefined) return localStorage.getItem('etalon-theme');
      localStorage.setItem('etalon-theme', value);
    } catch (refused) { /* pages from disk may have no storage */ }
    return null;
  }
  var asked = new URLSearchParams(location.search).get('theme') || stored();
  if (asked === 'dark' || asked === 'light') root.dataset.theme = asked;
  function isDark() {
    return root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  }
  var button = document.getElementById('theme');
  function label() {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', 'Switch to ' + (isDark() ? 'light' : 'dark') + ' colours');
  }
  button.addEventListener('click', function () {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    stored(root.dataset.theme);
    label();
  });
  label();

  // A cell sorts by data-v where it has one, else by its text; empty cells stay last.
  function sortBy(table, column, ascending) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    var key = function (row) {
      var cell = row.cells[column];
      if (cell.dataset.v !== undefined) return cell.dataset.v === '' ? null : Number(cell.dataset.v);
      return cell.textContent.trim() || null;
    };
    rows.sort(function (a, b) {
      var x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null);
      var order = typeof x === 'number' ? x - y : x.localeCompare(y, undefined, {numeric: true});
      return ascending ? order : -order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, i) {
      if (head.hasAttribute('aria-sort')) head.setAttribute('aria-sort', i !== column ? 'none' : ascending ? 'ascending' : 'descending');
    });
  }
  document.querySelectorAll('table[data-sortable]').forEach(function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var press = document.createElement('button');
      press.type = 'button';
      while (head.firstChild) press.appendChild(head.firstChild);
      head.appendChild(press);
      if (!head.hasAttribute('aria-sort')) head.setAttribute('aria-sort', 'none');
      press.addEventListener('click', function () {
        var now = head.getAttribute('aria-sort');
        sortBy(table, column, now === 'none' ? !head.classList.contains('n') : now !== 'ascending');
      });
    });
  });

  document.querySelectorAll('[data-filters]').forEach(function (tools) {
    var table = document.getElementById(tools.dataset.filters);
    var words = tools.querySelector('input[type=search]');
    var category = tools.querySelector('select');
    var count = tools.querySelector('output');
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    function apply() {
      var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var shown = 0;
      rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        var keep = (!category.value || row.dataset.category === category.value) &&
          wanted.every(function (word) { return text.indexOf(word) >= 0; });
        row.hidden = !keep;
        if (keep) ++shown;
      });
      count.textContent = shown + ' of ' + rows.length;
    }
    words.addEventListener('input', apply);
    category.addEventListener('change', apply);
    apply();
  });

  document.querySelectorAll('[data-zooms]').forEach(function (slider) {
    var inner = document.getElementById(slider.dataset.zooms).firstElementChild;
    slider.addEventListener('input', function () {
      var box = inner.parentNode, middle = (box.scrollLeft + box.clientWidth / 2) / inner.offsetWidth;
      inner.style.width = 100 * Math.pow(2, Number(slider.value)) + '%';
      box.scrollLeft = middle * inner.offsetWidth - box.clientWidth / 2;
    });
  });

  var save = document.getElementById('save-json');
  if (save) save.addEventListener('click', function () {
    var link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([document.getElementById('etalon-bundle').textContent], {type: 'application/json'}));
    link.download = 'etalon-report.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
  addEventListener('beforeprint', function () {
    document.querySelectorAll('details').forEach(function (part) { part.open = true; });
  });
})();
