"""Why two artifacts differ: both ancestries walked in step, down to the smallest set of causes."""
