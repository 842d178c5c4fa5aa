"""The polite crawler and the loopback site that it visits in the demo."""
