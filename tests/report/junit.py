"""Reads JUnit XML with junitparser, counts again, and prints cases, failures, errors, skipped."""

import sys

from junitparser import Error, Failure, JUnitXml, Skipped

suites = JUnitXml.fromfile(sys.argv[1])
kinds = [type(result) for suite in suites for case in suite for result in case.result]
counted = (
    sum(1 for suite in suites for _ in suite),
    kinds.count(Failure),
    kinds.count(Error),
    kinds.count(Skipped),
)
declared = tuple(sum(getattr(suite, name) for suite in suites) for name in ("tests", "failures", "errors", "skipped"))
assert declared == counted, (declared, counted)
assert (suites.tests, suites.failures, suites.errors) == counted[:3]
print(*counted)
