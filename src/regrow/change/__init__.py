"""Another flow from this one: a fork with own data, or a takedown of documents."""
