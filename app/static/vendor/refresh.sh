#!/bin/sh
# Fetch the vendored front-end files again from their npm packages, subset the icons, and print
# the checksums for VENDOR.md. Needs npm, python3 and the network; the product itself needs none of them.
set -eu
ICONS=3.49.0
ECHARTS=6.1.0
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent "@tabler/icons-webfont@$ICONS" "echarts@$ECHARTS" >/dev/null
mkdir icons echarts
tar xzf tabler-icons-webfont-$ICONS.tgz -C icons --strip-components=1
tar xzf echarts-$ECHARTS.tgz -C echarts --strip-components=1

python3 -m venv tools
tools/bin/pip install --quiet fonttools==4.68.0 brotli==1.2.1
tools/bin/python "$here/subset_icons.py" icons "$ICONS"
cp icons/LICENSE "$here/LICENSE.tabler-icons"

rm -f "$here"/echarts-*.min.js
cp echarts/dist/echarts.min.js "$here/echarts-$ECHARTS.min.js"
cp echarts/LICENSE "$here/LICENSE.echarts"
cp echarts/NOTICE "$here/NOTICE.echarts"

cd "$here"
sha256sum icons.css tabler-icons-*.woff2 echarts-*.min.js
