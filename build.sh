#!/usr/bin/env bash
# The one build entry on Linux and macOS; build.ps1 is its twin. Usage: ./build.sh [test|run|publish|lab|bench|swarm|COMMAND] [options]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# root by "su" lacks them, and the lab needs ip, nft and sysctl from there.
export PATH="$PATH:/usr/sbin:/sbin"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

usage() {
  cat <<'HELP'
Usage: ./build.sh COMMAND [options]
  run [--once]                        build and start headquarters, two offices and three agents; --once ends when all have synced
  test                                run every test
  publish                             leave runnable programs in artifacts/{headquarters,office,agent,fleet}/
  lab --journey NAME|all              run journeys over a real NAT (root on Linux); with --engine in-process: simulated, anywhere
  lab --topology NAME                 build a topology and give a prompt in it
  bench --target NAME|all             measure
  swarm ...                           load a headquarters with simulated offices and devices; --help says how
  restore | build | format            the single steps
HELP
}

command="${1:-help}"
[ $# -gt 0 ] && shift
case "$command" in
  help | --help | -h) usage; exit 0 ;;
  run | lab | bench | swarm | test | publish | restore | build | format) ;;
  *) echo "build.sh: '$command' is no command." >&2; usage >&2; exit 2 ;;
esac

command -v git >/dev/null || { echo "build.sh: git is missing: install it (Debian and Ubuntu: apt-get install git)." >&2; exit 1; }
command -v dotnet >/dev/null || { echo "build.sh: the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and put 'dotnet' on the PATH." >&2; exit 1; }
dotnet --list-sdks | grep -q '^10\.' || { echo "build.sh: the .NET 10 SDK is missing: 'dotnet' is there, but its SDKs are: $(dotnet --list-sdks | tr '\n' ' ')" >&2; exit 1; }

cake() {
  dotnet tool restore --verbosity quiet >/dev/null || { dotnet tool restore >&2; exit 1; }
  dotnet cake build.cake --verbosity=normal --target="$1" </dev/null
}

# The programs of the lab replace this shell rather than run under Cake, so that Ctrl-C and a closed terminal reach them first and they can clean up.
case "$command" in
  run) cake Lab; exec artifacts/natlab/natlab demo "$@" ;;
  lab) cake Lab; exec artifacts/natlab/natlab lab "$@" ;;
  # A node keeps some ten files open, and benchmarks have thousands of them in one process.
  bench) cake Bench; ulimit -n 100000 2>/dev/null || true; exec artifacts/bench/bench "$@" ;;
  swarm) cake Swarm; ulimit -n 100000 2>/dev/null || true; exec artifacts/swarm/swarm "$@" ;;
  *) [ $# -eq 0 ] || { echo "build.sh: '$command' takes no options." >&2; exit 2; }
     cake "$command" ;;
esac
