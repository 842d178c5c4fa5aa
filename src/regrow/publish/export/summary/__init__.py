"""The public summary of training content (AI Act, Article 53(1)(d)) and the figures of Annex XI."""
