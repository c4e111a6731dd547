"""Record the run that the quick claims about images and the page on the paper take."""

from __future__ import annotations

import sys

from scintscope.outputs import versions, write_json
from scintscope.validate import choose_cases


def main() -> int:
    """Run and write images.json."""
    choose_cases(["paper"])[0].module()
    images = sys.modules["scintscope_validation_paper.image_claims"]
    numbers = images.measured()
    write_json(images.RECORD, {"scenario": images.RUN, "numbers": numbers, "versions": versions()})
    print(numbers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
