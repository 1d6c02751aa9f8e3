"""The table of ExecuTorch's XNNPACK examples (portable, XNNPACK fp32, XNNPACK q8), of ExecuTorch's own files and of ours, measured in
one interleaved run."""

from engines import Engine

NAME = "xnnpack-examples"
MODELS = ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
_COLUMNS = ("portable", "xnnpack fp32", "xnnpack q8")
_THEIRS = ("real_portable.pte", "real.pte", "real_int8.pte")
_OURS = ("ours_portable.pte", "ours.pte", "ours_int8.pte")
# (who runs what, its program, the engine of each column, files)
_ROWS = (
    ("ExecuTorch on its own files", "etalon-executorch-runner", None, _THEIRS),
    ("ExecuTorch on our files", "etalon-executorch-runner", None, _OURS),
    ("our engine on our files", "etalon-runner", ("portable", "native", "native"), _OURS),
)


def _engine(who, binary, engines, files, column):
    flags = (f"--engine={engines[column]}",) if engines else ()
    return Engine(f"{who}: {_COLUMNS[column]}", f"{files[column]}, {_COLUMNS[column]}", files[column], binary=binary, flags=flags,
                  peer=False, kind=NAME)


def engines():
    return [_engine(*row, column) for row in _ROWS for column in range(len(_COLUMNS))]


def _times(rows, who, field):
    """Cells of one line; the fastest in bold."""
    values = [rows.get(f"{who}: {column}", {}).get(field) for column in _COLUMNS]
    known = [v for v in values if v is not None]
    return ["-" if v is None else f"**{v:.3g} ms**" if v == min(known) else f"{v:.3g} ms" for v in values]


def markdown(results):
    lines = ["# Portable, XNNPACK fp32, XNNPACK q8", "", f"machine: {results['machine']}", f"versions: {results['versions']}",
             f"measured: {results['date']}, {results['rounds']} interleaved blocks of each", "",
             "The first iteration in a fresh process, and the median of those that follow; the fastest of a line in bold. q8 is static "
             "int8, weights per channel; SNR is its, against eager float32.", ""]
    for threads in sorted({c["threads"] for c in results["cells"]}):
        lines += [f"### {threads} thread{'s' if threads > 1 else ''}", "",
                  "| model | who runs what | iteration | " + " | ".join(_COLUMNS) + " | SNR of q8 |", "|---|---|---|---:|---:|---:|---:|"]
        for cell in [c for c in results["cells"] if c["threads"] == threads]:
            lines += _lines(cell)
        lines.append("")
    missing = [f"* {c['model']}, {name}: {row['missing'][:200]}" for c in results["cells"] for name, row in c["rows"].items()
               if "missing" in row]
    return "\n".join(lines + missing)


def _lines(cell):
    lines = []
    for who, *_ in _ROWS:
        snr = cell["rows"].get(f"{who}: {_COLUMNS[-1]}", {}).get("snr_db")
        lines.append(f"| {cell['model']} | {who} | first | " + " | ".join(_times(cell["rows"], who, "first_ms")) +
                     f" | {'-' if snr is None else f'{snr:.1f} dB'} |")
        lines.append("| | | median | " + " | ".join(_times(cell["rows"], who, "median_ms")) + " | |")
    return lines
