"""Holds every registered operator against PyTorch on PyTorch's own samples.

    python tests/conformance/op_db_conformance.py [--only NAME] [--samples N] [--json FILE] [--verbose]

Prints passed / total per operator. Exit code 0 when exactly the operators in known_gaps.json fail, 1 when another one
fails or a listed one passes again, 77 (skipped) when torch or the library of our operators is missing.
"""

import argparse
import collections
import json
import sys
import warnings
from pathlib import Path

_SKIPPED = 77
_GAPS = Path(__file__).resolve().parent / "known_gaps.json"
_CALLS_PER_DTYPE = 60  # per operator; the frequent ones (add, copy) come up in every sample


def _tolerances(op, dtype):
    """The operator's own tolerance for fp32, scaled as torch.testing scales its defaults for other dtypes."""
    import torch

    rtol = {torch.float16: 1e-3, torch.bfloat16: 1.6e-2, torch.float64: 1e-7}.get(dtype, 1.3e-6)
    atol = {torch.float64: 1e-7}.get(dtype, 1e-5)
    return rtol * op["rtol"] / 1.3e-6, atol * op["atol"] / 1e-5


def _difference(ours, theirs, op):
    """None when equal enough, else what differs. Of random and uninitialised results only type and shape count."""
    import torch

    if not isinstance(theirs, torch.Tensor):
        return (
            None
            if ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)
            else f"got {ours}, wanted {theirs}"
        )
    if not isinstance(ours, torch.Tensor):
        return f"got {ours}, wanted a tensor"
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        return f"got {ours.dtype} {list(ours.shape)}, wanted {theirs.dtype} {list(theirs.shape)}"
    if op["random"] or "empty" in op["name"]:
        return None
    if not theirs.dtype.is_floating_point:
        wrong = int((ours != theirs).sum())
        return f"{wrong} of {theirs.numel()} values differ" if wrong else None
    rtol, atol = _tolerances(op, theirs.dtype)
    a, e = ours.double(), theirs.double()
    if theirs.dtype in (torch.float16, torch.bfloat16) and e.numel():
        # Both sides round intermediate results of low precision; what counts is the magnitude of the output.
        finite = e[e.isfinite()].abs()
        atol = max(atol, rtol * (finite.max().item() if finite.numel() else 0.0))
        if op["name"] == "aten::div.Tensor_mode":
            atol = (
                1.0  # torch may round the quotient to the type before it drops the fraction, we drop it first
            )
    if torch.allclose(a, e, rtol=rtol, atol=atol, equal_nan=True):
        return None
    worst = (a - e).abs().nan_to_num(float("inf")).max().item()
    return f"off by {worst:.3g}, magnitude {e.abs().nan_to_num(0).max().item():.3g}"


class Tally:
    """Passed and failed calls of every operator, with the first reasons."""

    def __init__(self, library):
        self._library = library
        self._seen = collections.Counter()
        self.passed, self.failed = collections.Counter(), collections.Counter()
        self.reasons = collections.defaultdict(collections.Counter)
        self._found = {}

    def _find(self, overload):
        from samples import functional_name

        name = functional_name(overload)
        plain, _, suffix = name.partition(".")
        copy = f"{plain}_copy.{suffix}" if suffix else f"{plain}_copy"
        exact = f"{overload._schema.name}.{overload._schema.overload_name}".rstrip(".")
        for candidate in (exact, name, copy):
            op = self._library.by_name.get(candidate)
            # An out= overload is the kernel of a functional call that is seen as well.
            if op is not None and not any(a.is_out for a in overload._schema.arguments):
                return op
        return None

    def operator(self, overload):
        """Our operator for one of torch's overloads, or for a name of ours; None when we do not have it."""
        if overload not in self._found:
            by_name = isinstance(overload, str)
            self._found[overload] = self._library.by_name.get(overload) if by_name else self._find(overload)
        return self._found[overload]

    def wanted(self, overload):
        return self.operator(overload) is not None

    def take(self, overload, call):
        """The sink of captured calls."""
        import torch

        op = self.operator(overload)
        if op is None:
            return
        tensors = [v for v in torch.utils._pytree.tree_leaves(call.values) if isinstance(v, torch.Tensor)]
        key = (op["name"], call.name, *(str(t.dtype) for t in tensors[:2]))
        self._seen[key] += 1
        if self._seen[key] <= _CALLS_PER_DTYPE:
            self._judge(op, call)

    def _judge(self, op, call):
        from ops_library import Refused, Unsupported

        try:
            reason = _compare(self._library, op, call)
        except Unsupported:
            return
        except Refused as error:
            reason = str(error)
        if reason is None:
            self.passed[op["name"]] += 1
        else:
            self.failed[op["name"]] += 1
            self.reasons[op["name"]][reason] += 1


def _compare(library, op, call):
    """None when our operator's results are torch's, else what differs."""
    import torch
    from ops_library import DTYPES, Unsupported

    theirs = call.result if isinstance(call.result, (tuple, list)) else [call.result]
    if any(isinstance(t, torch.Tensor) and t.dtype not in DTYPES for t in theirs):
        raise Unsupported("complex result")
    if "as_strided" in op["name"] and not _is_whole_storage(call.values[0]):
        raise Unsupported("as_strided sees the memory behind a view, which a dense tensor does not have")
    if len(call.kinds) != len(op["args"]):
        return f"our schema has {len(op['args'])} arguments, torch's {len(call.kinds)}"
    ours = library.call(op, call.kinds, call.values)
    if len(ours) != len(theirs):
        return f"{len(ours)} outputs, wanted {len(theirs)}"
    for i, (a, e) in enumerate(zip(ours, theirs)):
        difference = _difference(a, e, op)
        if difference and not (
            i == 1 and op["name"] == "aten::topk" and _same_values_taken(call.values, ours)
        ):
            return f"output {i}: {difference}" if len(ours) > 1 else difference
    return None


def _is_whole_storage(tensor):
    return (
        tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    )


def _same_values_taken(values, ours):
    """Which of several equal elements topk names is not specified; that they are equal and distinct is."""
    tensor, _, dim = values[:3]
    if tensor.dim() == 0:
        return False
    taken, index = ours
    distinct = all(len(set(row)) == len(row) for row in index.movedim(dim, -1).flatten(0, -2).tolist())
    return distinct and bool((tensor.gather(dim, index) == taken).all())


def _rows(library, tally):
    rows = []
    for op in library.ops:
        name = op["name"]
        total = tally.passed[name] + tally.failed[name]
        rows.append(
            {
                "name": name,
                "out_name": op["out_name"],
                "passed": tally.passed[name],
                "total": total,
                "reasons": [r for r, _ in tally.reasons[name].most_common(3)],
            }
        )
    return rows


def _print_table(rows, verbose):
    for row in sorted(rows, key=lambda r: r["name"]):
        bad = row["passed"] < row["total"]
        mark = "FAIL" if bad else "ok" if row["total"] else "not driven"
        if verbose or bad or not row["total"]:
            print(f"{row['name']:58} {row['passed']:5} / {row['total']:<5} {mark}")
            for reason in row["reasons"]:
                print(f"      {reason[:200]}")
    driven = [r for r in rows if r["total"]]
    whole = [r for r in driven if r["passed"] == r["total"]]
    print(f"operators: {len(rows)} registered, {len(driven)} driven, {len(whole)} pass entirely")
    print(f"calls: {sum(r['passed'] for r in rows)} passed of {sum(r['total'] for r in rows)}")


def _verdict(rows, gaps):
    """Lines about what contradicts known_gaps.json."""
    failing = {r["name"]: r for r in rows if r["passed"] < r["total"]}
    lines = [
        f"fails and is not in {_GAPS.name}: {name}: {row['reasons'][0][:160]}"
        for name, row in failing.items()
        if name not in gaps
    ]
    passing = {r["name"] for r in rows if r["total"] and r["passed"] == r["total"]}
    lines += [f"passes and is still in {_GAPS.name}: {name}" for name in gaps if name in passing]
    return lines


def drive(library, args):
    """Runs all samples; returns one row per operator and the samples that could not be run."""
    import torch
    import own_samples
    import samples

    torch.set_num_threads(1)
    tally = Tally(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = own_samples.run_own_samples(tally.wanted, tally.take)
        if not args.own_only:
            capture = samples.Capture(tally.wanted, tally.take)
            errors.update(samples.run_op_db(capture, args.samples, args.only))
    return _rows(library, tally), errors


def _run(args, library):
    rows, errors = drive(library, args)
    _print_table(rows, args.verbose)
    if args.verbose:
        for name, error in sorted(errors.items()):
            print(f"sample not run: {name}: {error}")
    gaps = json.loads(_GAPS.read_text())
    lines = [] if args.only or args.own_only else _verdict(rows, gaps)
    print("\n".join(lines))
    if args.json:
        args.json.write_text(
            json.dumps(
                {
                    "schema": "etalon-conformance/1",
                    "operators": rows,
                    "known_gaps": gaps,
                    "samples_not_run": errors,
                },
                indent=1,
            )
            + "\n"
        )
    return 1 if lines else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", help="entries of op_db whose name contains this")
    parser.add_argument("--own-only", action="store_true", help="only the samples written here")
    parser.add_argument(
        "--samples", type=int, default=12, metavar="N", help="per entry for fp32, half for others"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="also the operators that pass")
    args = parser.parse_args()
    try:
        import ops_library
    except ImportError as error:
        print(f"conformance skipped: the Python package {error.name} is not installed")
        return _SKIPPED
    if ops_library.find() is None:
        print(
            "conformance skipped: libetalon_ops_c.so is not built (./dev build) and $ETALON_OPS_C does not name it"
        )
        return _SKIPPED
    return _run(args, ops_library.OpsLibrary(ops_library.find()))


if __name__ == "__main__":
    sys.exit(main())
