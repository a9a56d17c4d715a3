#!/bin/sh
# Make the most of a short time on a graphics card: while all processor cores write balanced cases, the networks
# that find the tumour learn from them; in the end every network is timed on the card.
#
#     on_a_card.sh DATA RUNS MINUTES
#
# DATA as for 'vsclick simulate'; MINUTES for each of the two networks. PYTHON, VALIDATION and FIRST may be set:
# the interpreter, and the numbers of cases to choose by and to begin with. Weights are in RUNS/click.safetensors
# and RUNS/locator-fine, times in RUNS/times.txt. The click network goes on from the one that ships; where
# RUNS/packed is there already, carried from elsewhere, DATA need not hold anything for it.
#
# Tables of the thesis that TABLES names, as "cuts fine-tuning losses", come after that: three seeds of each experiment, with
# all of its steps, on cohorts as of `make cohorts`; results are in RUNS/tables.
set -eu
data=$1 runs=$2 minutes=$3
validation=${VALIDATION:-40} first=${FIRST:-150} python=${PYTHON:-python3}
click=Resources/Experiments/click.toml
PYTHONPATH=$PWD/VSClickCorrect${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH

# The research package adds its commands by an entry point, which an installation writes down.
"$python" -m pip install --quiet --no-deps --no-build-isolation --editable .

vsclick() { "$python" -m VSClickCorrectLib.cli.main "$@"; }
on_card() { "$python" -m VSClickCorrectResearch.training.on_card "$@"; }
cohort() { # NAME SPLIT EXTENT COUNT SEED
    vsclick simulate --data "$data" --output "$runs/$1" --split "$2" --extent "$3" --balanced \
        --count "$4" --seed "$5"
}

mkdir -p "$runs"
[ -d "$runs/packed" ] || on_card pack "$data" "$runs/packed"
boxes=$(mktemp -d "$([ -d /dev/shm ] && echo /dev/shm || echo "$runs")/boxes-XXXXXX")
on_card boxes "$runs/packed" "$boxes" --experiment $click >"$runs/boxes.log" 2>&1 &
writing=$!
trap 'kill "$writing" 2>/dev/null || true; rm -rf "$boxes"' EXIT
weights=$(find models -name 'vs-click-*.safetensors')
on_card train $click "$boxes" --weights "$weights" --first "$first" --seconds $((60 * minutes)) \
    --output "$runs/click.safetensors"
kill "$writing" 2>/dev/null || true
"$python" Testing/benchmarks/networks_alone.py cuda | tee "$runs/times.txt"

cohort wide-head-validation validation head "$validation" 18
cohort wide-head-training training head "$first" 19
vsclick train Resources/Experiments/locator-fine.toml --training "$runs/wide-head-training" \
    --validation "$runs/wide-head-validation" --output "$runs/locator-fine" --minutes "$minutes" \
    --precision bfloat16

[ -n "${TABLES:-}" ] || exit 0
region() { # SPLIT COUNT SEED
    vsclick simulate --data "$data" --output "$runs/region-$1" --split "$1" --count "$2" --seed "$3"
}
region training "${LABELLED:-400}" 11
region validation "$validation" 12
region test 40 13
# Several words.
# shellcheck disable=SC2086
"$python" Testing/tools/thesis_tables.py "$runs" $TABLES --precision bfloat16
