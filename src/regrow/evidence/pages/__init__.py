"""Pieces of HTML pages that several houses use: charts, style sheets, safe embedding."""
