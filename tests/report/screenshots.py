"""Screenshots of report pages: screenshots.py FOLDER PAGE.html...

Writes <page>_<width>_<light or dark>.png, whole pages, for people to look at.
"""

import pathlib
import sys

from browser import Browser


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        for name in sys.argv[2:]:
            for width in (1280, 390):
                for dark in (False, True):
                    page = browser.open(name, width=width, dark=dark)
                    to = folder / f"{pathlib.Path(name).stem}_{width}_{'dark' if dark else 'light'}.png"
                    page.screenshot(to)
                    print(to)
                    page.socket.close()


if __name__ == "__main__":
    main()
