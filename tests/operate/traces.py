"""The person whose traces are looked for, and the words they left."""

PERSON = "person-canary-7"
CANARIES = ("canarytext", "canaryname", "canary@example.org", "canaryhidden", "canarycompleted", "canarylogin")
"""What the person wrote or what was made of it. Their id stays in the audit log."""
