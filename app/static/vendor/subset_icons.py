"""Make icons.css and the icon font from the names in icons.txt; called by refresh.sh.

usage: subset_icons.py UNPACKED_PACKAGE VERSION
"""

import re
import sys
from pathlib import Path

from fontTools import subset

HEAD = """/* Tabler icons {version}, MIT licence: the subset named in icons.txt. Made by refresh.sh, do not edit. */
@font-face{{font-family:"tabler-icons";font-weight:400;font-display:block;src:url("{font}") format("woff2")}}
.ti{{font:400 1em/1 "tabler-icons";speak:never;display:inline-block;-webkit-font-smoothing:antialiased}}
.ti:before{{content:var(--i)}}
@supports (content:"x"/""){{.ti:before{{content:var(--i)/""}}}}
"""


def main(package: Path, version: str) -> None:
    """Write tabler-icons-VERSION.woff2 and icons.css beside this script; unknown names are an error."""
    here = Path(__file__).parent
    styles = (package / "dist/tabler-icons.min.css").read_text(encoding="utf-8")
    known = dict(re.findall(r'\.ti-([a-z0-9-]+):before\{content:"\\([0-9a-f]+)"\}', styles))
    lines = (here / "icons.txt").read_text(encoding="utf-8").splitlines()
    names = sorted({name for line in lines if not line.startswith("#") for name in line.split()})
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no such Tabler icon: {' '.join(unknown)}")
    font_name = f"tabler-icons-{version}.woff2"
    for stale in here.glob("tabler-icons-*.woff2"):
        stale.unlink()
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False, name_IDs=[])
    font = subset.load_font(str(package / "dist/fonts/tabler-icons.ttf"), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[int(known[name], 16) for name in names])
    subsetter.subset(font)
    subset.save_font(font, str(here / font_name), options)
    rules = "\n".join(f'.ti-{name}{{--i:"\\{known[name]}"}}' for name in names)
    (here / "icons.css").write_text(HEAD.format(version=version, font=font_name) + rules + "\n", encoding="utf-8")


main(Path(sys.argv[1]), sys.argv[2])
