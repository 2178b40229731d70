"""All checks over one case. A check is a file in `lint/checks/` with `check(case)`."""

from dataclasses import replace

from beholder import _names
from beholder.lint.case import SEVERITIES, Case, Finding

KIND = "lint.checks"


def checks() -> list[str]:
    """Return the names of all checks, sorted."""
    return _names.names(KIND)


def examine(case: Case) -> list[Finding]:
    """Return everything that is found, the gravest first."""
    findings = [
        replace(finding, check=name)
        for name in checks()
        for finding in _names.find(KIND, name).check(case)
    ]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def exit_code(findings: list[Finding]) -> int:
    """Return 0 when there is nothing or only notes, 1 when there is a warning or an error."""
    return int(any(finding.severity != "note" for finding in findings))
