"""Results as Markdown. A peer whose outputs are off by more than EXACT is shown and not counted as a rival: it computes
in another precision."""

import math

EXACT = 1e-4


def exact(row):
    return "missing" not in row and row.get("error") is not None and row["error"] <= EXACT


def best_peer(rows, peers, field):
    known = [row for row in rows.values() if row["engine"] in peers and field in row and exact(row)]
    return min(known, key=lambda row: row[field]) if known else None


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def _number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}g}"


def _cell_table(cell, peers):
    threads = cell["threads"]
    lines = [f"### {cell['model']}, {threads} thread{'s' if threads > 1 else ''}", "",
             "| engine | min ms | median ms | p95 ms | load ms | first ms | peak MB | error | best peer / it | quiet |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    best = best_peer(cell["rows"], peers, "median_ms")
    for row in cell["rows"].values():
        if "missing" in row:
            lines.append(f"| {row['engine']} | not measured: {row['missing'][:120]} |" + " |" * 8)
            continue
        ratio = f"{best['median_ms'] / row['median_ms']:.2f}x" if best else "-"
        error = "shapes differ" if row["error"] is None else f"{row['error']:.1e}"
        lines.append(
            f"| {row['engine']} | {_number(row['min_ms'])} | {_number(row['median_ms'])} | {_number(row['p95_ms'])} | "
            f"{_number(row['load_ms'])} | {_number(row['first_ms'])} | {_number(row['peak_mb'])} | {error} | {ratio} | "
            f"{row['quiet_blocks']} |")
    return lines + [""]


def _summary(cells, peers, engine, rival=None):
    """Rows "model | 1 thread | 2 threads": how much faster `engine` is than `rival`, or than the best peer of the cell."""
    ratios = {}
    for cell in cells:
        row = cell["rows"].get(engine, {})
        if rival is None:
            other = best_peer(cell["rows"], peers, "median_ms")
        else:
            other = cell["rows"].get(rival)
        if "median_ms" in row and other and "median_ms" in other:
            ratios[cell["model"], cell["threads"]] = (
                other["median_ms"] / row["median_ms"], other["min_ms"] / row["min_ms"], other["engine"])
    return ratios


def _summary_table(cells, peers, engine, rival=None):
    ratios = _summary(cells, peers, engine, rival)
    if not ratios:
        return []
    models = list(dict.fromkeys(model for model, _ in ratios))
    threads = sorted({t for _, t in ratios})
    over = rival or "the best peer of each cell"
    lines = [f"### {engine} over {over}", "", "By medians; in brackets by minima, and which peer was best.", "",
             "| model | " + " | ".join(f"{t} thread{'s' if t > 1 else ''}" for t in threads) + " |",
             "|---" * (len(threads) + 1) + "|"]
    for model in models:
        cells_of = [ratios.get((model, t)) for t in threads]
        lines.append(f"| {model} | " + " | ".join(
            "-" if r is None else f"{r[0]:.2f}x ({r[1]:.2f}x, {r[2]})" for r in cells_of) + " |")
    means = [geometric_mean([r[0] for (_, t), r in ratios.items() if t == wanted]) for wanted in threads]
    counts = [sum(1 for (_, t) in ratios if t == wanted) for wanted in threads]
    lines.append("| **geometric mean** | " + " | ".join(
        f"**{m:.2f}x** of {c}" if m else "-" for m, c in zip(means, counts)) + " |")
    return lines + [""]


def _scaling_table(cells):
    one = {(c["model"], e): r["median_ms"] for c in cells if c["threads"] == 1 for e, r in c["rows"].items()
           if "median_ms" in r}
    two = {(c["model"], e): r["median_ms"] for c in cells if c["threads"] == 2 for e, r in c["rows"].items()
           if "median_ms" in r}
    engines = list(dict.fromkeys(e for _, e in one))
    models = list(dict.fromkeys(m for m, _ in one if any((m, e) in two for e in engines)))
    if not models:
        return []
    lines = ["### Two threads over one", "", "| model | " + " | ".join(engines) + " |", "|---" * (len(engines) + 1) + "|"]
    for model in models:
        pairs = [(one.get((model, e)), two.get((model, e))) for e in engines]
        lines.append(f"| {model} | " + " | ".join(f"{a / b:.2f}x" if a and b else "-" for a, b in pairs) + " |")
    return lines + [""]


def markdown(results):
    peers, cells = results["peers"], results["cells"]
    lines = ["# Peers", "", f"machine: {results['machine']}", f"versions: {results['versions']}",
             f"measured: {results['date']}, {results['seconds']:g} s per engine and cell in {results['rounds']} blocks", ""]
    lines += [f"* **{e['name']}**: {e['what']}" for e in results["engines"]] + [""]
    lines += [f"Error: largest difference to eager PyTorch over the largest value. Peers over {EXACT:g} compute in "
              "another precision; they are shown and not counted as best peer.", ""]
    for engine in ("ours", "ours-fast", "ours-real"):
        lines += _summary_table(cells, peers, engine)
    lines += _summary_table(cells, peers, "ours", "et-xnnpack")
    lines += _summary_table(cells, peers, "et-ours", "et-xnnpack")
    lines += _scaling_table(cells)
    for cell in cells:
        lines += _cell_table(cell, peers)
    return "\n".join(lines)
