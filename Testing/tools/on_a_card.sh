#!/bin/sh
# Make the most of a short time on a graphics card: while all processor cores write balanced cohorts, the networks
# that find the tumour learn from them; in the end every network is timed on the card.
#
#     on_a_card.sh DATA RUNS MINUTES
#
# DATA as for 'vsclick simulate'; MINUTES for each of the two networks. PYTHON, VALIDATION and FIRST may be set:
# the interpreter, and the numbers of cases to choose by and to begin with. Weights, logs and curves are in
# RUNS/locator-fine and RUNS/click, the table in RUNS/bench. Run it again to go on.
#
# Tables of the thesis that TABLES names, as "cuts fine-tuning losses", come after that: three seeds of each experiment, with
# all of its steps, on cohorts as of `make cohorts`; results are in RUNS/tables.
set -eu
data=$1 runs=$2 minutes=$3
validation=${VALIDATION:-40} first=${FIRST:-150}
PYTHONPATH=$PWD/VSClickCorrect${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH

# The research package adds its commands by an entry point, which an installation writes down.
"${PYTHON:-python3}" -m pip install --quiet --no-deps --editable .

vsclick() { "${PYTHON:-python3}" -m VSClickCorrectLib.cli.main "$@"; }
cohort() { # NAME SPLIT EXTENT COUNT SEED
    vsclick simulate --data "$data" --output "$runs/$1" --split "$2" --extent "$3" --balanced \
        --count "$4" --seed "$5"
}
learn() { # EXPERIMENT COHORT
    vsclick train "Resources/Experiments/$1.toml" --training "$runs/$2-training" \
        --validation "$runs/$2-validation" --output "$runs/$1" --minutes "$minutes" --precision bfloat16
}

mkdir -p "$runs"
cohort wide-head-validation validation head "$validation" 18
cohort box-validation validation box "$validation" 17
cohort wide-head-training training head "$first" 19
# The training takes up new cases as they come, so the writing goes on beside it.
cohort box-training training box 20000 20 >"$runs/box-training.log" 2>&1 &
writing=$!
trap 'kill "$writing" 2>/dev/null || true' EXIT
while kill -0 "$writing" && [ "$(find "$runs/box-training" -name 'case-*.npz' | wc -l)" -lt "$first" ]; do
    sleep 1
done
learn click box
learn locator-fine wide-head
kill "$writing" 2>/dev/null || true
vsclick bench --output "$runs/bench"

[ -n "${TABLES:-}" ] || exit 0
region() { # SPLIT COUNT SEED
    vsclick simulate --data "$data" --output "$runs/region-$1" --split "$1" --count "$2" --seed "$3"
}
region training "${LABELLED:-400}" 11
region validation "$validation" 12
region test 40 13
# Several words.
# shellcheck disable=SC2086
"${PYTHON:-python3}" Testing/tools/thesis_tables.py "$runs" $TABLES --precision bfloat16
