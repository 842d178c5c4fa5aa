"""fma32 under torch: `activate()` before a model is built; then `functional`, `optim`, `install`.

Importing this package does not import torch.
"""

from regrow.numerics.torch.switch import activate, active

__all__ = ["activate", "active"]
