"""Files of the steps of a mix search that other steps of it read.

In a module of their own: whoever reads a file would else count the code of the step that writes it.
"""

from __future__ import annotations

DOMAINS = "domains.json"
"""of `domains`"""
MIXTURE = "mixture.json"
"""of `swarm` and `proxy`, the shares of one pack; of `mixture`, the chosen ones"""
SCORES = "scores.json"
"""of `proxy_scores`"""
CONFIRMED = "confirm.json"
"""of `confirm`"""
