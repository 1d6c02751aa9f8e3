"""Results as Markdown. In fp32 a peer whose outputs are off by more than EXACT is shown and not counted as a rival: it computes
in another precision. In int8 and 16 bits the SNR stands beside every time, and a second ratio counts only peers that are about
as near to float as we are."""

import math

EXACT = 1e-4
SIMILAR_DB = 3


def exact(row):
    return "missing" not in row and row.get("error") is not None and row["error"] <= EXACT


def kind_of(row):
    return row.get("kind", "fp32")


def rivals(rows, peers, kind):
    """Peers that were measured, by engine; in fp32 only those that compute in it."""
    return [row for row in rows.values() if row["engine"] in peers and kind_of(row) == kind and "median_ms" in row
            and (kind != "fp32" or exact(row))]


def best_peer(rows, peers, field, kind="fp32"):
    return min(rivals(rows, peers, kind), key=lambda row: row[field], default=None)


def best_similar_peer(rows, peers, ours):
    """The fastest peer whose SNR is at most SIMILAR_DB below ours; None where ours or theirs is not known."""
    if ours.get("snr_db") is None:
        return None
    near = [row for row in rivals(rows, peers, kind_of(ours))
            if row.get("snr_db") is not None and row["snr_db"] >= ours["snr_db"] - SIMILAR_DB]
    return min(near, key=lambda row: row["median_ms"], default=None)


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def _number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}g}"


def _decibel(row):
    return "-" if row.get("snr_db") is None else f"{row['snr_db']:.1f}"


def _cell_table(cell, peers):
    threads = cell["threads"]
    lines = [f"### {cell['model']}, {threads} thread{'s' if threads > 1 else ''}", "",
             "| engine | min ms | median ms | p95 ms | load ms | first ms | peak MB | error | SNR dB | best peer / it | quiet |",
             "|---" * 11 + "|"]
    for row in cell["rows"].values():
        if "missing" in row:
            lines.append(f"| {row['engine']} | not measured: {row['missing'][:120]} |" + " |" * 9)
            continue
        best = best_peer(cell["rows"], peers, "median_ms", kind_of(row))
        ratio = f"{best['median_ms'] / row['median_ms']:.2f}x" if best else "-"
        error = "shapes differ" if row["error"] is None else f"{row['error']:.1e}"
        lines.append(
            f"| {row['engine']} | {_number(row['min_ms'])} | {_number(row['median_ms'])} | {_number(row['p95_ms'])} | "
            f"{_number(row['load_ms'])} | {_number(row['first_ms'])} | {_number(row['peak_mb'])} | {error} | "
            f"{_decibel(row)} | {ratio} | {row['quiet_blocks']} |")
    return lines + [""]


def _summary(cells, peers, engine, rival=None):
    """Rows "model | 1 thread | 2 threads": how much faster `engine` is than `rival`, or than the best peer of the cell."""
    ratios = {}
    for cell in cells:
        row = cell["rows"].get(engine, {})
        if rival is None:
            other = best_peer(cell["rows"], peers, "median_ms", kind_of(row))
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


def _overview_cell(row, best):
    if row is None or "median_ms" not in row:
        return "-"
    time = _number(row["median_ms"])
    return f"{f'**{time}**' if row is best else time} ({_decibel(row)})"


def _reasons(cells, columns):
    """Why cells are empty, once each."""
    reasons = {}
    for cell in cells:
        for name in columns:
            why = cell["rows"].get(name, {}).get("missing")
            if why:
                reasons.setdefault((name, why[:200]), []).append(cell["model"])
    return [f"* {name}, {', '.join(dict.fromkeys(models))}: {why}" for (name, why), models in reasons.items()]


def _overview(results, kind, threads):
    """One table of all models: median ms and SNR of every engine of the kind; the best peer in bold, and how ours compares."""
    cells = [c for c in results["cells"] if c["threads"] == threads]
    columns = [e["name"] for e in results["engines"] if e.get("kind", "fp32") == kind]
    ours = [name for name in columns if name not in results["peers"] and name.startswith("ours")]
    if not cells or not any("median_ms" in c["rows"].get(name, {}) for c in cells for name in columns):
        return []
    beside = ["ours"] if kind != "fp32" and any("ours" in c["rows"] for c in cells) else []
    shown = columns + [f"{name} (fp32)" for name in beside]
    ratios = [f"{o} over best" for o in ours] + [f"{o} over similar" for o in ours if kind != "fp32"]
    lines = [f"### {kind}, {threads} thread{'s' if threads > 1 else ''}", "",
             "| model | " + " | ".join(shown + ratios) + " |", "|---" * (len(shown) + len(ratios) + 1) + "|"]
    means = {name: [] for name in ratios}
    for cell in cells:
        rows = cell["rows"]
        best = best_peer(rows, results["peers"], "median_ms", kind)
        line = [_overview_cell(rows.get(name), best) for name in columns + beside]
        found = {name: _ratio_of(rows, results["peers"], name, kind) for name in ratios}
        for name, ratio in found.items():
            if ratio:
                means[name].append(ratio)
        line += [f"{ratio:.2f}x" if ratio else "-" for ratio in found.values()]
        lines.append(f"| {cell['model']} | " + " | ".join(line) + " |")
    summary = [f"**{geometric_mean(means[n]):.2f}x** of {len(means[n])}" if means[n] else "-" for n in ratios]
    lines.append("| **geometric mean** |" + " |" * len(shown) + " " + " | ".join(summary) + " |")
    return lines + [""] + _reasons(cells, columns) + [""]


def _ratio_of(rows, peers, name, kind):
    engine, _, what = name.partition(" over ")
    row = rows.get(engine, {})
    other = best_peer(rows, peers, "median_ms", kind) if what == "best" else best_similar_peer(rows, peers, row)
    return other["median_ms"] / row["median_ms"] if other and "median_ms" in row else None


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


def _introduction(results):
    lines = ["# Peers", "", f"machine: {results['machine']}", f"versions: {results['versions']}",
             f"measured: {results['date']}, {results['seconds']:g} s per engine and cell in {results['rounds']} blocks", ""]
    lines += [f"* **{e['name']}**: {e['what']}" for e in results["engines"]]
    return lines + ["", f"Error: largest difference to eager PyTorch in float32 over the largest value. In fp32, peers over {EXACT:g} "
                    "compute in another precision; they are shown and not counted as best peer. Of int8 and 16 bits the tables show "
                    "median ms and, in brackets, the SNR in dB against eager float32 on the same input: a fast answer of a few dB "
                    f"is a broken one. \"over best\" is the fastest peer's time over ours, \"over similar\" that of the fastest whose "
                    f"SNR is at most {SIMILAR_DB} dB below ours.", ""]


def markdown(results):
    peers, cells = results["peers"], results["cells"]
    lines = _introduction(results)
    kinds = list(dict.fromkeys(e.get("kind", "fp32") for e in results["engines"]))
    for kind in [k for k in kinds if k != "fp32"]:
        for threads in sorted({c["threads"] for c in cells}):
            lines += _overview(results, kind, threads)
    for engine in ("ours", "ours-fast", "ours-real"):
        lines += _summary_table(cells, peers, engine)
    for engine, rival in (("ours", "et-xnnpack"), ("et-ours", "et-xnnpack"), ("ours-int8", "et-int8"), ("ours-int8", "ours"),
                          ("ours-half", "et-half"), ("ours-half", "ours"), ("ours-bf16", "openvino-bf16")):
        lines += _summary_table(cells, peers, engine, rival)
    lines += _scaling_table(cells)
    for cell in cells:
        lines += _cell_table(cell, peers)
    return "\n".join(lines)
