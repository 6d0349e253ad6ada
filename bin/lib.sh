# Shared by the scripts in bin/. Not run by itself.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

# Debian packages by purpose. Names of other systems: see README, "Other systems".
# The first line: what Swift itself needs of the system.
RUN_PACKAGES="libncurses6 libxml2 libcurl4-openssl-dev tzdata zlib1g-dev
  git ca-certificates binutils libc6-dev libstdc++-12-dev pkg-config libsqlite3-dev libargon2-dev libxgboost-dev libjs-chart.js libjs-leaflet libpq-dev libre2-dev"
TEST_PACKAGES="chromium chromium-driver fonts-noto-cjk"
POSTGRES_PACKAGES="postgresql-15"
FAULT_PACKAGES="fiu-utils faketime"
BENCH_PACKAGES="wrk curl"

say() { printf '%s\n' "$*" >&2; }

# need PACKAGE... : installs the ones that are missing.
need() {
  command -v dpkg-query >/dev/null 2>&1 || { say "This is not Debian: install what README names for your system, then go on."; return 0; }
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "Installing: ${missing[*]}"
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { say "Please run as root: apt-get install ${missing[*]}"; exit 1; }
    as=(sudo)
  fi
  "${as[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_swift() {
  command -v swift >/dev/null 2>&1 || { say "Swift 6.3 is not on PATH. Install it from swift.org and add its usr/bin to PATH."; exit 1; }
}

# Options every build uses: a target may import only what it declares.
BUILD_OPTIONS=(--explicit-target-dependency-import-check error)
