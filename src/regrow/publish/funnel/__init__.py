"""The funnel as a picture and as a page."""
