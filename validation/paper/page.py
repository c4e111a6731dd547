"""Write docs/paper_audit.md from the claims as the code computes them now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from scintscope.outputs import write_text
from scintscope.validate import choose_cases

PAGE = Path(__file__).parents[2] / "docs" / "paper_audit.md"
WORDS = {"holds": "reproduces", "ambiguous": "ambiguous", "fails": "does not reproduce"}
SECTIONS = (
    "Introduction",
    "Imaging Principle",
    "Optical System Design",
    "Experiments",
    "Data Analysis",
    "Discussion",
)
RELATIONS = {"equal": "", "at most": "at most ", "at least": "at least "}
HEAD = """# The paper's numbers

H.-Q. Zhou et al. 2025, *An approach to overcome the resolution-efficiency trade-off in X-ray
scintillator imaging* (chinaXiv), claim by claim, recomputed by this package. The page is written by
`python validation/paper/page.py`; a test compares it with what the code gives now, and
`scintscope validate paper` prints the same rows with their tolerances.

**Reproduces**: our number, in the reading the paper's words ask for, agrees within the tolerance.
**Ambiguous**: it does so only in another reading that the paper leaves open. **Does not
reproduce**: in none. What would give the printed number although the paper says otherwise stands
under "would fit"; it does not count. Numbers of images come from one run of `scenarios/small.toml`
(the paper's instrument on 512 x 512 pixels, our target, our assumed defects), recorded in
`validation/paper/images.json`: they show whether such numbers are possible, not what the authors'
images gave.
"""


def number(value: float) -> str:
    """Return three significant digits."""
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit."""
    return f"{number(value)} {unit}".strip()


def summary(claims: list[Any]) -> list[str]:
    """Return the table of all claims."""
    lines = ["", "| claim | paper | computed | verdict |", "|---|---|---|---|"]
    for claim in claims:
        row = claim.row()
        paper = RELATIONS[row.relation] + with_unit(row.reference, row.unit)
        lines.append(
            f"| [{row.name}](#{claim.slug}) | {paper} | {with_unit(row.ours, row.unit)} | "
            f"{WORDS[row.verdict]} |"
        )
    return lines


def listed(title: str, pairs: tuple[tuple[str, float], ...], unit: str) -> list[str]:
    """Return readings as one line of a list, or nothing."""
    if not pairs:
        return []
    return [f"- {title}: " + "; ".join(f"{name}, {with_unit(v, unit)}" for name, v in pairs)]


def heading(name: str) -> str:
    """Return a statement with a capital, unless it starts with a symbol."""
    return name if name[1] == " " and name[0] != "a" else name[0].upper() + name[1:]


def paragraph(claim: Any) -> list[str]:
    """Return a claim with our number, other readings and the explanation."""
    row = claim.row()
    paper = RELATIONS[row.relation] + with_unit(row.reference, row.unit)
    who = "Paper" if claim.kind == "claim" else "Audit"
    lines = [
        "",
        f'<a id="{claim.slug}"></a>',
        f"### {heading(row.name)}",
        "",
        f"**{WORDS[row.verdict].capitalize()}.**",
        "",
        f"- {who}: {paper}; tolerance {with_unit(row.tolerance, row.unit)} ({row.reason})",
        f"- Computed: {with_unit(row.ours, row.unit)} ({claim.ours_is})",
        *listed("Other readings", row.readings, row.unit),
        *listed("Would fit, against the paper's words", claim.repairs, row.unit),
    ]
    return [*lines, "", claim.why] if claim.why else lines


def text() -> str:
    """Return the page."""
    case = choose_cases(["paper"], Path(__file__).parents[1])[0].module()
    every = case.claims(True)
    claims = [claim for claim in every if claim.kind == "claim"]
    verdicts = [claim.row().verdict for claim in claims]
    lines = [HEAD.rstrip(), ""]
    lines.append(
        f"Of {len(claims)} statements {verdicts.count('holds')} reproduce, "
        f"{verdicts.count('ambiguous')} are ambiguous, {verdicts.count('fails')} do not reproduce."
    )
    lines += summary(claims)
    for where in SECTIONS:
        lines += ["", f"## {where}"]
        for claim in claims:
            if claim.printed["where"] == where:
                lines += paragraph(claim)
    derived = [claim for claim in every if claim.kind != "claim"]
    lines += ["", "## Derived, not claimed"]
    for claim in derived:
        lines += paragraph(claim)
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page."""
    write_text(PAGE, text())
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
