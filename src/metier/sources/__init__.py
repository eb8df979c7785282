"""Files and boards -> validated tables."""
