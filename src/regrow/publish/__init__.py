"""What others read: exports, report, explorer, and repositories of releases."""
