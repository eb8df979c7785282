"""Does the résumé help? Models under text conditions and field conditions, judged alike, with controls and power."""
