"""From a thin profile to a résumé that can be trusted: skills, language models, completion, audit, quality."""
