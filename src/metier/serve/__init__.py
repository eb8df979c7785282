"""The HTTP side: an API over `store` and `live`. No maths here."""
