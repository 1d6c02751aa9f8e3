#!/usr/bin/env bash
# The table of ExecuTorch's XNNPACK examples, measured here: models by portable kernels, XNNPACK fp32 and XNNPACK q8, each
# with its first iteration in a fresh process and the average of 50 iterations after 10.
#
#   examples/xnnpack_table/measure.sh [FOLDER] [MODEL_xnnpack_q8.pte ...]
#   examples/xnnpack_table/measure.sh --beside-executorch [--threads 1] [--models ...]
#
# The second form measures ExecuTorch's own exports (torchao and XNNPACKQuantizer, its partitioner), ours in ExecuTorch, and ours in
# our engine, in one interleaved run; it wants PyTorch, and installs it where it is missing.
#
# Models that are named are measured too, whoever exported them. ETALON names the program (default: etalon on the PATH),
# ENGINE what runs the models (default: the real ExecuTorch where it was built in, else our own; its portable kernels may
# take minutes), MODELS the built-in models, CALIB what int8 is calibrated on (default: random numbers, which is enough for times and for
# nothing else). Running it again measures only what is missing.
set -euo pipefail

if [ "${1:-}" = --beside-executorch ]; then
  exec "$(dirname "$0")/../../dev" bench peers --table xnnpack-examples "${@:2}"
fi

etalon=${ETALON:-etalon}
models=${MODELS:-mobilenet_v2 mobilenet_v3_small}
calib=${CALIB:-random}
to=${1:-xnnpack_table}
[ $# -gt 0 ] && shift
runs=()

# The engine that the table was published for, if this build has it.
choose_engine() { # MODEL.pte
  if "$etalon" run "$1" --engine executorch --quiet >/dev/null 2>&1; then echo executorch; else echo native; fi
}

measure() { # MODEL.pte [FLAGS...]: the folder of its run joins the table
  local name
  name=$(basename "$1" .pte)
  "$etalon" profile "$1" --runs 50 --warmup 10 --output-root "$to/$name" "${@:2}" >"$to/$name.txt"
  runs+=("$(dirname "$(find "$to/$name" -name manifest.json | head -1)")")
}

export_variant() { # NAME BACKEND DTYPE FILE [FLAGS...]
  [ -f "$4" ] || "$etalon" export "zoo:$1" --quiet --backend "$2" --dtype "$3" -o "$4" "${@:5}" >"$4.txt"
}

mkdir -p "$to"
for model in $models; do
  export_variant "$model" portable fp32 "$to/${model}_portable_fp32.pte"
  engine=${ENGINE:-$(choose_engine "$to/${model}_portable_fp32.pte")}
  if [ "$engine" = native ]; then plain=portable; else plain=$engine; fi
  measure "$to/${model}_portable_fp32.pte" --engine "$plain"
  export_variant "$model" xnnpack fp32 "$to/${model}_xnnpack_fp32.pte"
  measure "$to/${model}_xnnpack_fp32.pte" --engine "$engine"
  if export_variant "$model" xnnpack int8 "$to/${model}_xnnpack_q8.pte" --calib "$calib"; then
    measure "$to/${model}_xnnpack_q8.pte" --engine "$engine"
  else
    echo "$model: no int8 export, its q8 column stays empty" >&2
  fi
done
for program in "$@"; do measure "$program" --engine "$(choose_engine "$program")"; done

"$etalon" report "${runs[@]}" --table xnnpack-examples --format markdown
