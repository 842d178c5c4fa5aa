"""A released checkpoint continued with somebody's own documents, as a branch of the flow."""
