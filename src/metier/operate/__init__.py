"""Keeping a service: what the law and its people may ask of it, copies of it, and whether it is well."""
