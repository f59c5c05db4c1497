#!/usr/bin/env bash
# The first minutes on a GPU machine: is it right, then how fast. At most 480 seconds; each stage is a process of
# its own under a limit, and goes on after a failure of another.
#
#     bench/lease.sh            on a machine with a GPU; wheels that it lacks lie in .whl (bench/lease.txt)
#     bench/lease.sh --small    every stage in a tiny form on a CPU, whose figures mean nothing
#
# Into the folder that OUT names: lease.log, summary.txt and the figures of bench.gpu. PYTHON names the
# interpreter, python3 by default. Exit code 1 where a stage failed.
set -uo pipefail
cd "$(dirname "$0")/.."
small=${1:-}
python=${PYTHON:-python3}
out=${OUT:-$(mktemp -d)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OUT=$out PYTHONUNBUFFERED=1 TRIMTAB_CACHE=$scratch/cache PYTHONPATH=$scratch/site:$PWD/src:$PWD
whole=480 failed=0 began=$SECONDS
bench=("$python" -m bench.gpu)
[ "$small" = --small ] && bench+=(--small) && whole=900 # it may share its cores with other work
: > "$out/lease.log"
: > "$out/summary.txt"

# stage NAME SECONDS COMMAND...: run it under the limit, or what is left of the whole, and note how it ended.
stage() {
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  [ "$small" = --small ] && [ "$limit" -lt 150 ] && limit=150
  local left=$((whole - 10 - (SECONDS - began)))
  [ "$limit" -gt "$left" ] && limit=$left
  if [ "$limit" -lt 5 ]; then
    echo "$name: left out, no time" | tee -a "$out/summary.txt"
    return 0
  fi
  echo "== $name: $*" >> "$out/lease.log"
  timeout --kill-after=5 "$limit" "$@" >> "$out/lease.log" 2>&1
  status=$?
  [ "$status" -eq 0 ] || failed=1
  echo "$name: exit code $status, $((SECONDS - start)) of $limit s" | tee -a "$out/summary.txt"
  return "$status"
}

machine() {
  mkdir -p "$scratch/site"
  if compgen -G '.whl/*.whl' > /dev/null; then
    "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade \
      --target "$scratch/site" .whl/*.whl || return
  fi
  [ "$small" = --small ] || nvidia-smi || return
  "$python" -c 'import sys, numpy, torch, transformers, trimtab.run.runner
print(sys.version, numpy.__version__, torch.__version__, torch.version.cuda, transformers.__version__)
from importlib.util import find_spec
print("flash-attn", "is" if find_spec("flash_attn") else "is not", "here; nothing is measured with it")'
}

trials() {
  local device=cuda each="1 4" jobs
  [ "$small" = --small ] && device=cpu each=2
  sed -e 's/^train = .*/train = 1200/' -e 's/^test = .*/test = 400/' -e 's/^seeds = .*/seeds = 2/' \
    studies/quickstart.toml > "$scratch/quickstart.toml"
  if [ "$small" = --small ]; then
    sed -i -e 's/^max_len = .*/max_len = [16]/' -e 's/^truncation = \[.*/truncation = ["ratio"]/' -e '/^baseline/d' \
      -e 's/^epochs = .*/epochs = 1/' -e 's/^\[base\]/&\nprecision = "fp32"/' "$scratch/quickstart.toml"
  fi
  for jobs in $each; do
    local start=$SECONDS
    "$python" -m trimtab.cli run "$scratch/quickstart.toml" --device $device --jobs $jobs \
      --out "$scratch/$jobs" || return
    echo "jobs $jobs: $((SECONDS - start)) s"
  done
}
export -f machine trials
export python small scratch

stage "0 machine" 30 bash -c machine
stage "1 probes" 60 "${bench[@]}" --only probe
# What a probe found broken is left out of what follows, so that the rest is still measured.
without=() skipped="not nothing"
if grep -q '^wrong: probe, capture' "$out/lease.log"; then
  without+=(--without graphs --without both)
  skipped="$skipped and not captured and not replay"
fi
if grep -q '^wrong: probe, compile' "$out/lease.log"; then
  without+=(--without compiled --without both)
fi
marked=$(grep -rl 'pytest.mark.gpu' tests --include='test_*.py')
# shellcheck disable=SC2086
[ "$small" = --small ] && marked=tests/model/test_varlen.py
# Exit code 5: nothing was selected, as on a machine without a GPU.
stage "2 tests" 60 "$python" -m pytest -q -m gpu -W default -p no:cacheprovider -k "$skipped" $marked
if [ "$small" = --small ]; then
  stage "3 numerics" 150 "${bench[@]}" --only "repeats, eager"
  stage "4 rates" 150 "${bench[@]}" --only "small, batch 16, eager"
  stage "5 Trainer" 150 "${bench[@]}" --only "Trainer, small" --without compiled --without random
  stage "6 trials" 150 bash -c trials
  stage "7 rest" 150 "${bench[@]}" --only pretraining
else
  stage "3 numerics" 70 "${bench[@]}" --only numerics --only repeats "${without[@]}" --seconds 60
  stage "4 rates" 120 "${bench[@]}" --only "matrix product" --only copy --only "small, batch" --only "base, batch" \
    --without padded --without Trainer "${without[@]}" --seconds 100
  stage "5 Trainer" 70 "${bench[@]}" --only Trainer --only padded --seconds 55
  stage "6 trials" 60 bash -c trials
  stage "7 rest" 30 "${bench[@]}" --only pretraining --only large --only fp32 --only streamed "${without[@]}" \
    --seconds 15
fi
[ -z "$(ls "$out"/gpu-*.json 2> /dev/null)" ] && echo "no figures" | tee -a "$out/summary.txt"
echo "total: $((SECONDS - began)) s" | tee -a "$out/summary.txt"
exit "$failed"
