#!/usr/bin/env bash
# What the tests need beside Python: a browser, a Chinese font, msgfmt. Installed when missing.
set -euo pipefail
missing=()
command -v make >/dev/null || missing+=(make)
command -v msgfmt >/dev/null || missing+=(gettext)
command -v chromium >/dev/null || missing+=(chromium)
[ -d /usr/share/fonts/opentype/noto ] || missing+=(fonts-noto-cjk)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
[ ${#missing[@]} -gt 0 ] || exit 0
echo "正在安装测试所需的系统软件包：${missing[*]}"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo -n"
  sudo -n true 2>/dev/null || { echo "请先安装：apt-get install ${missing[*]}"; exit 1; }
fi
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
