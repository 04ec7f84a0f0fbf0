"""Reads a workbook with openpyxl and prints its counts: grade, verdict, number."""

import collections
import datetime
import sys

import openpyxl

book = openpyxl.load_workbook(sys.argv[1])
assert book.sheetnames == ["Summary", "Not passing", "Requirements", "Evidence", "Vantages"], book.sheetnames
for name in book.sheetnames[1:]:
    assert book[name].freeze_panes == "A2" and list(book[name].tables) == [name.replace(" p", "P")], name
    for row in book[name].iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type in "sndn" and cell.hyperlink is None, (name, cell.coordinate, cell.data_type)
sheet = book["Requirements"]
evidence = {row[0] for row in book["Evidence"].iter_rows(min_row=2, values_only=True)}
titles = [cell.value for cell in sheet[1]]
counts = collections.Counter()
for row in sheet.iter_rows(min_row=2):
    cells = dict(zip(titles, row))
    if cells["verdict"].value is None:  # the empty row of an empty table
        continue
    counts[(cells["counts"].value, cells["verdict"].value)] += 1
    # What the requirement rests on is in the evidence. A very long cell is cut.
    probes = cells["probes"].value
    if probes is not None and len(probes) < 2900:
        # Hostile ids hold the separator too, so that they cannot be split.
        rest = probes
        for probe in sorted(filter(None, evidence), key=len, reverse=True):
            rest = rest.replace(probe, "")
        assert not rest.strip("; "), rest
    assert cells["port"].value is None or isinstance(cells["port"].value, int)
    probed = cells["probed at (UTC)"].value
    assert probed is None or isinstance(probed, datetime.datetime), probed

# The table of the summary says the same.
summary = collections.Counter()
started = False
for verdict, required, advisory, _ in book["Summary"].iter_rows(values_only=True, max_col=4):
    if verdict == "verdict":
        started = True
    elif started and verdict is None:
        break
    elif started:
        summary[("required", verdict)] += required
        summary[("advisory", verdict)] += advisory
assert +summary == counts, (summary, counts)
for (grade, verdict), number in sorted(counts.items()):
    print(grade, verdict, number, sep="\t")
