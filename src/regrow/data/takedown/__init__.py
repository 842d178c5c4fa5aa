"""Steps of a takedown: documents masked out of training data, or withdrawn behind the extraction."""
