"""PDFs of sources: text in reading order, paragraphs, a page map, scanned pages and what OCR read on them."""
