"""Mix search: proxies on drawn mixtures, a law for each evaluation, and the mixture that is best by these laws."""
